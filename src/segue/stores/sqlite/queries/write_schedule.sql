-- Writes a schedule or backfill that nobody has written since it was read; no row comes back otherwise. Locks: the batch
-- holds the file's only write lock, so the revision is compared and counted on in one go.
UPDATE schedules SET
    app = ?4, workflow = ?5, wake = ?6, waits = ?7, plan = ?8, standing = ?9, revision = revision + 1
WHERE namespace = ?1 AND name = ?2 AND backfill = ?3 AND revision = ?10
RETURNING revision
