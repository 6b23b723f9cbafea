-- Runs of each of some namespaces (?1) in each of some states (?2), each count as far as a limit: from the index on state
-- alone. Locks: nothing, reads the last committed state.
SELECT names.value, states.value, (
    SELECT count(*) FROM (SELECT 1 FROM runs WHERE namespace = names.value AND state = states.value LIMIT ?3)
)
FROM json_each(?1) AS names, json_each(?2) AS states
