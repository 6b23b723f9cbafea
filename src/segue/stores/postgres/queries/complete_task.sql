-- Closes an open task and tells which run it belongs to; no row when the task is not open. Locks: the task's row, so of
-- two answers one is the first.
UPDATE segue.tasks SET state = 'completed', closed_at = ?2::bigint, closed_by = ?3::text, outcome = ?4::bytea
WHERE task = ?1::bigint AND state = 'open'
RETURNING run
