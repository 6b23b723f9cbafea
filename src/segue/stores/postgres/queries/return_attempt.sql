-- Has an attempt be nobody's again, by (run, key, attempt, activation); no row when it is not that one's. Locks: the
-- attempt's row, so it comes before or after the end of the attempt.
UPDATE segue.attempts SET lease = 0, returned = returned + 1
WHERE
    run = ?1::bigint AND key = ?2::text AND attempt = ?3::integer AND claim = ?4::integer
    AND lease > 0
RETURNING run
