-- The workflows of which there are runs in namespace ?1, the first ?2 of them: from one to the next in an index, without
-- a look at what lies between; > '': a search from the start, no read of all. Locks: nothing, reads the last committed state.
WITH RECURSIVE found (name, place) AS (
    SELECT (
        SELECT workflow FROM segue.runs WHERE namespace = ?1::text AND workflow > '' ORDER BY workflow LIMIT 1
    ), 1
    UNION ALL
    SELECT (
        SELECT workflow FROM segue.runs
        WHERE namespace = ?1::text AND workflow > found.name ORDER BY workflow LIMIT 1
    ), place + 1
    FROM found WHERE name IS NOT NULL AND place < ?2::bigint
)
SELECT name FROM found WHERE name IS NOT NULL
