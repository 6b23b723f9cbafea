-- When the next schedule is due, by the index on (app, wake). Locks: none, one read; a later write gives its own hint.
SELECT wake FROM schedules WHERE app = ?1 AND wake > ?2 ORDER BY wake LIMIT 1
