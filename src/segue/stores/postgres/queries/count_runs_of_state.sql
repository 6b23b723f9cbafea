-- Number of a namespace's runs of one state by workflow, as far as a limit, the newest first: by the index on state.
-- Locks: nothing, reads the last committed state.
SELECT workflow, count(*) FROM (
    SELECT workflow FROM segue.runs WHERE namespace = ?1::text AND state = ?2::text ORDER BY run DESC LIMIT ?3::bigint
) AS newest GROUP BY workflow
