-- Number of a namespace's runs of one state by workflow, as far as a limit, the newest first: by the index on state.
-- Locks: nothing, reads the last committed state.
SELECT workflow, count(*) FROM (
    SELECT workflow FROM runs WHERE namespace = ?1 AND state = ?2 ORDER BY run DESC LIMIT ?3
) GROUP BY workflow
