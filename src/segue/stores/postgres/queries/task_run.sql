-- The run of a task that turned out not to be open, and whether this very answer (at, by, outcome) closed it. Locks:
-- nothing: what is closed stays closed.
SELECT run, state = 'completed' AND closed_at = ?::bigint AND closed_by = ?::text AND outcome = ?::bytea
FROM segue.tasks WHERE task = ?::bigint
