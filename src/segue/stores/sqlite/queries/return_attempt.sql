-- Has an attempt be nobody's again, by (run, key, attempt, activation); no row when it is not that one's. Locks: the
-- batch holds the file's only write lock.
UPDATE attempts SET lease = 0, returned = returned + 1
WHERE run = ?1 AND key = ?2 AND attempt = ?3 AND claim = ?4 AND lease > 0
RETURNING run
