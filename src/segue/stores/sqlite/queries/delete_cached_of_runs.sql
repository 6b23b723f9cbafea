-- Forgets the cached results of runs that are past their time (JSON list). Locks: the transaction holds the file's only
-- write lock for a small batch of runs; they are closed, so they make no more.
DELETE FROM cached WHERE run IN (SELECT value FROM json_each(?))
