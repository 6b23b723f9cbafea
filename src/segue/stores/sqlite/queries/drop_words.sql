-- Takes words of runs away by (namespace, word, run). Locks: the batch holds the file's only write lock.
DELETE FROM words WHERE (namespace, word, run) IN (VALUES (?, ?, ?))
