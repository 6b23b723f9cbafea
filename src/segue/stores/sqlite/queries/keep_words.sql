-- Keeps words of runs by (namespace, word, run). Locks: the batch holds the file's only write lock.
INSERT INTO words (namespace, word, run)
SELECT column1, column2, column3 FROM (VALUES (?, ?, ?)) WHERE column1 IS NOT NULL
ON CONFLICT DO NOTHING
