-- Deletes the words of runs that are past their time (JSON list). Locks: the transaction holds the file's only write
-- lock for a small batch of runs; they are closed, so nobody writes to them meanwhile.
DELETE FROM words WHERE run IN (SELECT value FROM json_each(?))
