-- A value's bytes are at a place from now on, unless it has one already. Locks: the transaction holds the file's only
-- write lock.
UPDATE payloads SET data = NULL, size = length(data), place = ? WHERE ref = ? AND place IS NULL
