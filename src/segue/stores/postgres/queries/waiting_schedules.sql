-- Schedules and backfills that wait for a run to end. Locks: none, one read; who acts on a row compares its revision in
-- the transaction.
SELECT namespace, name, backfill, app, workflow, revision, wake, waits, plan, standing FROM segue.schedules
WHERE app = ?1::text AND waits AND (?2::text IS NULL OR workflow IN (SELECT json_array_elements_text(?2::json)))
