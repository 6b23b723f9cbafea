-- A heartbeat from outside, by (run, key, attempt, activation, time, details, end of the lease); no row when the attempt is
-- not waited for. Locks: the attempt's row, so it comes before or after the end of the attempt.
UPDATE segue.attempts
SET at = ?5::bigint, details = coalesce(?6::bytea, details), lease = greatest(lease, ?7::bigint)
WHERE run = ?1::bigint AND key = ?2::text AND attempt = ?3::integer AND claim = ?4::integer AND handed_over
RETURNING run
