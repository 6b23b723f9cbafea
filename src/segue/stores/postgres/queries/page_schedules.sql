-- A page of a namespace's schedules with their backfills, by name, from behind a name: those in whose name or workflow a
-- text is found. Locks: none, one read.
SELECT
    schedules.namespace, schedules.name, schedules.backfill, schedules.app, schedules.workflow,
    schedules.revision, schedules.wake, schedules.waits, schedules.plan, schedules.standing
FROM segue.schedules
WHERE schedules.namespace = ?1::text AND schedules.name IN (
    SELECT name FROM segue.schedules
    WHERE namespace = ?1::text AND backfill = '' AND (?2::text = '' OR strpos(lower(name || ' ' || workflow), lower(?2::text)) > 0)
    AND name > ?3::text
    ORDER BY name LIMIT ?4::bigint
)
ORDER BY schedules.name, schedules.backfill
