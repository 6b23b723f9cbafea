-- Erases what a run's tasks were about and what was answered. Locks: the transaction holds the file's only write lock,
-- and has seen that the run is closed.
UPDATE tasks SET form = NULL, subject = NULL, outcome = NULL WHERE run = ?
