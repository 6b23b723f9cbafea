-- Whether a place is announced, and nobody has begun to remove what is there. Locks: the transaction holds the file's only write lock.
SELECT 1 FROM leftovers WHERE place = ? AND since > 0
