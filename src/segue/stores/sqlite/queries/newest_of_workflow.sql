-- The newest runs of a workflow, before a run. Locks: nothing, reads the last committed state.
SELECT run FROM runs INDEXED BY runs_by_workflow
WHERE namespace = ? AND workflow = ? AND run < ? ORDER BY run DESC LIMIT ?
