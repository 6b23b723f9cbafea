-- Remembers the ids of messages that are kept for the next run, by (chain, message, run); most are known. Locks: the
-- batch holds the file's only write lock.
INSERT INTO messages (chain, message, run)
SELECT column1, column2, column3 FROM (VALUES (?, ?, ?)) WHERE column1 IS NOT NULL
ON CONFLICT DO NOTHING
