-- Drops the lines of runs (JSON list). Locks: the write lock of the step logs' own file, never the journal's.
DELETE FROM lines WHERE run IN (SELECT value FROM json_each(?))
