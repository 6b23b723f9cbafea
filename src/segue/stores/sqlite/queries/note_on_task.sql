-- Adds to an open task what somebody has said or done (at, actor, kind, text); no row when it is not open. Locks: the
-- transaction holds the file's only write lock, so that the task does not go meanwhile.
INSERT INTO task_notes (run, task, at, actor, kind, text)
SELECT run, task, ?2, ?3, ?4, ?5 FROM tasks WHERE task = ?1 AND state = 'open'
RETURNING note
