-- Remembers message ids by (run, message) that came to their runs without the inbox; the same one may have been posted
-- meanwhile. Locks: the batch holds the file's only write lock.
INSERT INTO messages (chain, message, run)
SELECT coalesce(runs.chain, runs.run), column2, column1 FROM (VALUES (?, ?))
JOIN runs ON runs.run = column1
WHERE true
ON CONFLICT DO NOTHING
