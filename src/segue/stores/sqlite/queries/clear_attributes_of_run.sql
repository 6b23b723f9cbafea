-- Erases a run's search attributes. Locks: the transaction holds the file's only write lock, and
-- has seen that the run is closed.
DELETE FROM attributes WHERE run = ?
