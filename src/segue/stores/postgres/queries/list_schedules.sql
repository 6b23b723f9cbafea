-- Schedules with their backfills, all or those of one name. Locks: none, one read.
SELECT namespace, name, backfill, app, workflow, revision, wake, waits, plan, standing FROM segue.schedules
WHERE namespace = ?1::text AND (?2::text IS NULL OR name = ?2::text) ORDER BY name, backfill
