-- The newest runs in a state, before a run. Locks: nothing, reads the last committed state.
SELECT run FROM runs INDEXED BY runs_by_state
WHERE namespace = ? AND state = ? AND run < ? ORDER BY run DESC LIMIT ?
