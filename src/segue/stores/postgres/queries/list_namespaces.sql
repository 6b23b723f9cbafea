-- Namespaces in which there are runs or schedules, or of which something is said, the first ?1 of each: from one to the
-- next in an index, without a look at what lies between; > '': a search from the start, no read of all. Locks: nothing,
-- reads the last committed state.
WITH RECURSIVE of_runs (name, place) AS (
    SELECT (SELECT namespace FROM segue.runs WHERE namespace > '' ORDER BY namespace LIMIT 1), 1
    UNION ALL
    SELECT (
        SELECT runs.namespace FROM segue.runs WHERE runs.namespace > of_runs.name ORDER BY runs.namespace LIMIT 1
    ), place + 1
    FROM of_runs WHERE name IS NOT NULL AND place < ?1::bigint
),
of_schedules (name, place) AS (
    SELECT (SELECT namespace FROM segue.schedules WHERE namespace > '' ORDER BY namespace LIMIT 1), 1
    UNION ALL
    SELECT (
        SELECT schedules.namespace FROM segue.schedules
        WHERE schedules.namespace > of_schedules.name ORDER BY schedules.namespace LIMIT 1
    ), place + 1
    FROM of_schedules WHERE name IS NOT NULL AND place < ?1::bigint
)
SELECT name FROM of_runs WHERE name IS NOT NULL UNION SELECT name FROM of_schedules WHERE name IS NOT NULL
UNION SELECT name FROM (SELECT name FROM segue.namespaces ORDER BY name LIMIT ?1::bigint) AS described
