-- Erases the words by which a run is found. Locks: the transaction holds the file's only write lock, and has seen that
-- the run is closed.
DELETE FROM words WHERE run = ?
