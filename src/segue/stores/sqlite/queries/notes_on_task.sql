-- What people have said and done about a task (run, task), the first one first. Locks: nothing, reads the last committed
-- state.
SELECT note, at, actor, kind, text FROM task_notes WHERE run = ? AND task = ? ORDER BY note
