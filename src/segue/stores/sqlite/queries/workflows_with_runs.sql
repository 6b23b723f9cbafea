-- The workflows of which there are runs in namespace ?1, the first ?2 of them: from one to the next in an index, without
-- a look at what lies between. Locks: nothing, reads the last committed state.
WITH RECURSIVE found (name, place) AS (
    SELECT (SELECT min(workflow) FROM runs WHERE namespace = ?1), 1
    UNION ALL
    SELECT (SELECT min(workflow) FROM runs WHERE namespace = ?1 AND workflow > found.name), place + 1
    FROM found WHERE name IS NOT NULL AND place < ?2
)
SELECT name FROM found WHERE name IS NOT NULL
