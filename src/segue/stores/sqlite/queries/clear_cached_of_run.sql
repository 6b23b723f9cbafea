-- Forgets the cached results of a run that is erased: a key may speak of a person. Locks: the transaction holds the
-- file's only write lock, and has seen that the run is closed.
DELETE FROM cached WHERE run = ?
