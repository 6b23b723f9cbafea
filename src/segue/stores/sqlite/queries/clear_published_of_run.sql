-- Erases what a run let readers see. Locks: the transaction holds the file's only write lock, and
-- has seen that the run is closed.
DELETE FROM published WHERE run = ?
