-- Namespaces in which there are runs or schedules, or of which something is said, the first ?1 of each: from one to the
-- next in an index, without a look at what lies between. Locks: nothing, reads the last committed state.
WITH RECURSIVE of_runs (name, place) AS (
    SELECT min(namespace), 1 FROM runs
    UNION ALL
    SELECT (SELECT min(runs.namespace) FROM runs WHERE runs.namespace > of_runs.name), place + 1
    FROM of_runs WHERE name IS NOT NULL AND place < ?1
),
of_schedules (name, place) AS (
    SELECT min(namespace), 1 FROM schedules
    UNION ALL
    SELECT (SELECT min(schedules.namespace) FROM schedules WHERE schedules.namespace > of_schedules.name), place + 1
    FROM of_schedules WHERE name IS NOT NULL AND place < ?1
)
SELECT name FROM of_runs WHERE name IS NOT NULL UNION SELECT name FROM of_schedules WHERE name IS NOT NULL
UNION SELECT name FROM (SELECT name FROM namespaces ORDER BY name LIMIT ?1) AS described
