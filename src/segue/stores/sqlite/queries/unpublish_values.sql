-- Removes published values by (run, name). Locks: the batch holds the file's only write lock.
DELETE FROM published
WHERE (run, name) IN (VALUES (?, ?))
