-- Remembers message ids by (run, message) for as long as the run is kept. Locks: the batch holds the file's only write
-- lock; the primary key refuses a message that is known, whatever was checked before.
INSERT INTO messages (run, message)
SELECT column1, column2 FROM (VALUES (?, ?)) WHERE column1 IS NOT NULL
