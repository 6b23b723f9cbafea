-- The newest runs in a state, before a run. Locks: nothing, reads the last committed state.
SELECT run FROM segue.runs
WHERE namespace = ?::text AND state = ?::text AND run < ?::bigint
ORDER BY namespace DESC, state DESC, run DESC LIMIT ?::bigint
