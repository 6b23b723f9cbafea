-- Forgets attempts that have ended, by (run, key). Locks: the batch holds the file's only write lock.
DELETE FROM attempts
WHERE (run, key) IN (VALUES (?, ?))
