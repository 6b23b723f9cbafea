-- Runs of each of some namespaces (?1) in each of some states (?2), each count as far as a limit: by the index on state,
-- in its order, without which all runs might be read for a state that few of them are in.
-- Locks: nothing, reads the last committed state.
SELECT names.value, states.value, (
    SELECT count(*) FROM (
        SELECT 1 FROM segue.runs WHERE namespace = names.value AND state = states.value
        ORDER BY run DESC LIMIT ?3::bigint
    ) AS found
)
FROM json_array_elements_text(?1::json) AS names (value), json_array_elements_text(?2::json) AS states (value)
