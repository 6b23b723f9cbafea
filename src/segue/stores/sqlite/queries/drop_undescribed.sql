-- Deletes a namespace's row once nothing is said in it. Locks: the transaction holds the file's only write lock.
DELETE FROM namespaces WHERE name = ?1 AND description = '' AND retention = ''
