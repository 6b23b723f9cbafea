-- The run of a task, and whether this very answer (at, by, outcome) closed it. Locks: reads under the batch's own write
-- lock.
SELECT run, state = 'completed' AND closed_at = ? AND closed_by = ? AND outcome = ? FROM tasks WHERE task = ?
