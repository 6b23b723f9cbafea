-- Erases what people said about a run's tasks. Locks: the transaction holds the file's only write lock, and has seen that
-- the run is closed.
DELETE FROM task_notes WHERE run = ?
