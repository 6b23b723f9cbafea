-- A value's bytes are at a place from now on, unless it has one already. Locks: its row, for this transaction of three
-- statements.
UPDATE segue.payloads SET data = NULL, size = octet_length(data), place = ?::text WHERE ref = ?::text AND place IS NULL
