-- Takes the outcome of an attempt (run, key, attempt, activation) that was handed over; no row when it is not waited for.
-- Locks: the batch holds the file's only write lock, so of two outcomes one is the first.
DELETE FROM attempts WHERE run = ? AND key = ? AND attempt = ? AND claim = ? AND handed_over = 1
RETURNING run
