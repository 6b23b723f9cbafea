-- A heartbeat from outside, by (run, key, attempt, time, details); no row when the attempt is not waited for. Locks:
-- the attempt's row, so it comes before or after the end of the attempt.
UPDATE segue.attempts SET at = ?4::bigint, details = coalesce(?5::bytea, details)
WHERE run = ?1::bigint AND key = ?2::text AND attempt = ?3::integer AND handed_over
RETURNING run
