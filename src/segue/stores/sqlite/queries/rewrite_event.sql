-- Puts an event with its personal data erased in the place of the one that had it. Locks: the transaction holds the
-- file's only write lock, and has seen that the run is closed.
UPDATE journal SET event = ? WHERE run = ? AND seq = ?
