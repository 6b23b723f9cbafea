-- The first events of runs (JSON list), up to a number. Locks: nothing, reads the last committed state.
SELECT run, seq, event FROM journal
WHERE run IN (SELECT value FROM json_each(?)) AND seq <= ?
ORDER BY run, seq
