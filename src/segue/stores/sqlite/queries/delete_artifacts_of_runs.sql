-- Deletes the artifacts of runs that are past their time (JSON list). Locks: the transaction holds the file's only write
-- lock for a small batch of runs; they are closed, so nobody attaches anything meanwhile.
DELETE FROM artifacts WHERE run IN (SELECT value FROM json_each(?))
