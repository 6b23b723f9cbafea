-- Number of a namespace's open human tasks, and of those past their time, as far as a limit: by the index on state.
-- Locks: nothing, reads the last committed state.
SELECT count(*), count(due) FILTER (WHERE due < ?2) FROM (
    SELECT due FROM tasks WHERE namespace = ?1 AND state = 'open' LIMIT ?3
)
