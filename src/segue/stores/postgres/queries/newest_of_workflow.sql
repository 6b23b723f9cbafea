-- The newest runs of a workflow, before a run. Locks: nothing, reads the last committed state.
SELECT run FROM segue.runs
WHERE namespace = ?::text AND workflow = ?::text AND run < ?::bigint
ORDER BY namespace DESC, workflow DESC, run DESC LIMIT ?::bigint
