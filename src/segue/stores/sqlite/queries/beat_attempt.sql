-- A heartbeat from outside, by (run, key, attempt, activation, time, details, end of the lease); no row when the attempt is
-- not waited for. Locks: the batch holds the file's only write lock.
UPDATE attempts SET at = ?5, details = coalesce(?6, details), lease = max(lease, ?7)
WHERE run = ?1 AND key = ?2 AND attempt = ?3 AND claim = ?4 AND handed_over = 1
RETURNING run
