-- A heartbeat from outside, by (run, key, attempt, time, details); no row when the attempt is not waited for. Locks: the
-- batch holds the file's only write lock.
UPDATE attempts SET at = ?4, details = coalesce(?5, details)
WHERE run = ?1 AND key = ?2 AND attempt = ?3 AND handed_over = 1
RETURNING run
