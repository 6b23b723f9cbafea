-- A page of a namespace's schedules with their backfills, by when each is to be looked at next, from behind such a time
-- and name: those in whose name or workflow a text is found. The page is chosen by an index. Locks: none, one read.
SELECT
    schedules.namespace, schedules.name, schedules.backfill, schedules.app, schedules.workflow,
    schedules.revision, schedules.wake, schedules.waits, schedules.plan, schedules.standing
FROM schedules JOIN (
    SELECT name, turn FROM schedules
    WHERE namespace = ?1 AND backfill = '' AND (?2 = '' OR instr(lower(name || ' ' || workflow), lower(?2)) > 0)
    AND (turn, name) > (?3, ?4)
    ORDER BY turn, name LIMIT ?5
) AS page ON page.name = schedules.name
WHERE schedules.namespace = ?1
ORDER BY page.turn, page.name, schedules.backfill
