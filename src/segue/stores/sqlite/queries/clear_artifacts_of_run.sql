-- Erases the artifacts of a run. Locks: the transaction holds the file's only write lock, and has seen that the run is
-- closed.
DELETE FROM artifacts WHERE run = ?
