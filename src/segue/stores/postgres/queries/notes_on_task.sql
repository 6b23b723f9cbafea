-- What people have said and done about a task (run, task), the first one first. Locks: nothing, reads the last committed
-- state.
SELECT note, at, actor, kind, text FROM segue.task_notes WHERE run = ?::bigint AND task = ?::bigint ORDER BY note
