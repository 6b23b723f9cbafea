-- Takes a schedule or backfill away that nobody has written since it was read; no row comes back otherwise. Locks: the
-- batch holds the file's only write lock.
DELETE FROM schedules WHERE namespace = ?1 AND name = ?2 AND backfill = ?3 AND revision = ?4
RETURNING revision
