-- A page of a namespace's schedules with their backfills, by name, from behind a name: those in whose name or workflow a
-- text is found. Locks: none, one read.
SELECT
    schedules.namespace, schedules.name, schedules.backfill, schedules.app, schedules.workflow,
    schedules.revision, schedules.wake, schedules.waits, schedules.plan, schedules.standing
FROM schedules
WHERE schedules.namespace = ?1 AND schedules.name IN (
    SELECT name FROM schedules
    WHERE namespace = ?1 AND backfill = '' AND (?2 = '' OR instr(lower(name || ' ' || workflow), lower(?2)) > 0)
    AND name > ?3
    ORDER BY name LIMIT ?4
)
ORDER BY schedules.name, schedules.backfill
