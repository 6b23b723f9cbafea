-- Schedules and backfills whose time has come, earliest first, by the index on (app, wake). Locks: none, one read; who
-- acts on a row compares its revision in the transaction.
SELECT namespace, name, backfill, app, workflow, revision, wake, waits, plan, standing FROM schedules
WHERE app = ?1 AND wake <= ?2 AND (?3 IS NULL OR workflow IN (SELECT value FROM json_each(?3)))
ORDER BY wake LIMIT ?4
