-- Takes a schedule or backfill away that nobody has written since it was read; no row comes back otherwise. Locks: its
-- row.
DELETE FROM segue.schedules
WHERE namespace = ?1::text AND name = ?2::text AND backfill = ?3::text AND revision = ?4::bigint
RETURNING revision
