-- A page of a namespace's schedules with their backfills, by when each is to be looked at next, from behind such a time
-- and name: those in whose name or workflow a text is found. The page is chosen by an index. Locks: none, one read.
SELECT
    schedules.namespace, schedules.name, schedules.backfill, schedules.app, schedules.workflow,
    schedules.revision, schedules.wake, schedules.waits, schedules.plan, schedules.standing
FROM segue.schedules JOIN (
    SELECT name, turn FROM segue.schedules
    WHERE namespace = ?1::text AND backfill = '' AND (?2::text = '' OR strpos(lower(name || ' ' || workflow), lower(?2::text)) > 0)
    AND (turn, name) > (?3::bigint, ?4::text)
    ORDER BY turn, name LIMIT ?5::bigint
) AS page ON page.name = schedules.name
WHERE schedules.namespace = ?1::text
ORDER BY page.turn, page.name, schedules.backfill
