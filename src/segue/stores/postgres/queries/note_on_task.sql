-- Adds to an open task what somebody has said or done (at, actor, kind, text); no row when it is not open. Locks: the
-- task's row against changes, so that it is neither closed nor deleted meanwhile.
INSERT INTO segue.task_notes (run, task, at, actor, kind, text)
SELECT run, task, ?2::bigint, ?3::text, ?4::text, ?5::text FROM segue.tasks WHERE task = ?1::bigint AND state = 'open'
FOR SHARE
RETURNING note
