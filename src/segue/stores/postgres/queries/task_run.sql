-- The run of a task, and whether this very answer (at, by, outcome) closed it. Locks: nothing: a task stays its run's,
-- and what is closed stays closed.
SELECT run, state = 'completed' AND closed_at = ?::bigint AND closed_by = ?::text AND outcome = ?::bytea
FROM segue.tasks WHERE task = ?::bigint
