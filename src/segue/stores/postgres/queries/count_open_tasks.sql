-- Number of a namespace's open human tasks, and of those past their time, as far as a limit: by the index on state.
-- Locks: nothing, reads the last committed state.
SELECT count(*), count(due) FILTER (WHERE due < ?2::bigint) FROM (
    SELECT due FROM segue.tasks WHERE namespace = ?1::text AND state = 'open' LIMIT ?3::bigint
) AS open
