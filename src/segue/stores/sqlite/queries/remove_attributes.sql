-- Removes search attributes by (run, name). Locks: the batch holds the file's only write lock.
DELETE FROM attributes
WHERE (run, name) IN (VALUES (?, ?))
