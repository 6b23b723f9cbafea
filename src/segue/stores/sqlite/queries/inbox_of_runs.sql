-- Waiting messages of the runs (JSON list) in order of arrival. Locks: nothing, reads the last committed state.
SELECT row, run, kind, message, at, body FROM inbox
WHERE run IN (SELECT value FROM json_each(?))
ORDER BY row
