-- Erases what people said about a run's tasks. Locks: rows of closed runs, to whose tasks nobody adds anything.
DELETE FROM segue.task_notes WHERE run = ?::bigint
