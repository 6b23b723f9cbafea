-- Remembers message ids by (chain, message, run) for as long as the run is kept. Locks: the batch holds the file's only
-- write lock; the primary key refuses a message that is known, whatever was checked before.
INSERT INTO messages (chain, message, run)
SELECT column1, column2, column3 FROM (VALUES (?, ?, ?)) WHERE column1 IS NOT NULL
