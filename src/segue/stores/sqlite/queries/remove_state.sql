-- Removes keyed state by (namespace, scope, key). Locks: the batch holds the file's only write lock.
DELETE FROM state
WHERE (namespace, scope, key) IN (VALUES (?, ?, ?))
