-- Open runs of a namespace by workflow and state, of at most ?3 of them: found by the index of states, looked up one by one.
-- Locks: nothing, reads the last committed state.
SELECT workflow, state, count(*)
FROM (SELECT workflow, state FROM runs WHERE namespace = ?1 AND state IN (SELECT value FROM json_each(?2)) LIMIT ?3)
GROUP BY 1, 2
