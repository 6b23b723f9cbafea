-- Adds events at the end of journals. Locks: the batch holds the file's only write lock; the unique index on (run, seq)
-- refuses a place that is taken, whatever was checked before.
INSERT INTO journal (run, seq, event)
SELECT column1, column2, column3 FROM (VALUES (?, ?, ?)) WHERE column1 IS NOT NULL
