-- Makes a schedule or backfill, unless there is one of the name; no row comes back then. Locks: the batch holds the
-- file's only write lock, so of two that make it one finds it made.
INSERT INTO schedules (namespace, name, backfill, app, workflow, revision, wake, waits, plan, standing)
VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8, ?9)
ON CONFLICT (namespace, name, backfill) DO NOTHING
RETURNING revision
