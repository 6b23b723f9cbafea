-- Takes the outcome of an attempt (run, key, attempt, activation) that was handed over; no row when it is not waited for.
-- Locks: its row, so of two outcomes one is the first, and whoever activates it anew comes before or after.
DELETE FROM segue.attempts
WHERE run = ?::bigint AND key = ?::text AND attempt = ?::integer AND claim = ?::integer AND handed_over
RETURNING run
