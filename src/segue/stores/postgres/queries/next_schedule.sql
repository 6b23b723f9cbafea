-- When the next schedule is due, by the index on (app, wake). Locks: none, one read; a later write gives its own hint.
SELECT wake FROM segue.schedules WHERE app = ?1::text AND wake > ?2::bigint ORDER BY wake LIMIT 1
