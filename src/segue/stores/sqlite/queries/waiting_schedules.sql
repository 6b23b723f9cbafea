-- Schedules and backfills that wait for a run to end. Locks: none, one read; who acts on a row compares its revision in
-- the transaction.
SELECT namespace, name, backfill, app, workflow, revision, wake, waits, plan, standing FROM schedules
WHERE app = ?1 AND waits = 1 AND (?2 IS NULL OR workflow IN (SELECT value FROM json_each(?2)))
