-- Schedules and backfills whose time has come, earliest first, by the index on (app, wake). Locks: none, one read; who
-- acts on a row compares its revision in the transaction.
SELECT namespace, name, backfill, app, workflow, revision, wake, waits, plan, standing FROM segue.schedules
WHERE app = ?1::text AND wake <= ?2::bigint
    AND (?3::text IS NULL OR workflow IN (SELECT json_array_elements_text(?3::json)))
ORDER BY wake LIMIT ?4::bigint
