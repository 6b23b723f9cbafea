-- Schedules with their backfills, all or those of one name. Locks: none, one read.
SELECT namespace, name, backfill, app, workflow, revision, wake, waits, plan, standing FROM schedules
WHERE namespace = ?1 AND (?2 IS NULL OR name = ?2) ORDER BY name, backfill
