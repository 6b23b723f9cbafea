-- Open runs of a namespace by workflow and state, of at most ?3 of them: found by the index of states, looked up one by one.
-- Locks: nothing, reads the last committed state.
SELECT workflow, state, count(*)
FROM (
    SELECT workflow, state FROM segue.runs
    WHERE namespace = ?1::text AND state = ANY (ARRAY(SELECT json_array_elements_text(?2::json))) LIMIT ?3::bigint
) AS open
GROUP BY 1, 2
