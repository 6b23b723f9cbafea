-- Closes an open task and tells which run it belongs to; no row when the task is not open. Locks: the batch holds the
-- file's only write lock, so of two answers one is the first.
UPDATE tasks SET state = 'completed', closed_at = ?2, closed_by = ?3, outcome = ?4
WHERE task = ?1 AND state = 'open'
RETURNING run
