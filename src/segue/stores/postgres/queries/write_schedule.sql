-- Writes a schedule or backfill that nobody has written since it was read; no row comes back otherwise. Locks: its row,
-- so the revision is compared and counted on in one go.
UPDATE segue.schedules SET
    app = ?4::text, workflow = ?5::text, wake = ?6::bigint, waits = ?7::integer::boolean, plan = ?8::bytea,
    standing = ?9::bytea, revision = revision + 1
WHERE namespace = ?1::text AND name = ?2::text AND backfill = ?3::text AND revision = ?10::bigint
RETURNING revision
