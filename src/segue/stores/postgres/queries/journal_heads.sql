-- The first events of runs (JSON list), up to a number; behind what the other dialect takes come the first and the last
-- of these runs. Locks: nothing, reads the last committed state.
SELECT run, seq, event FROM segue.journal
WHERE
    run = ANY (ARRAY(SELECT json_array_elements_text(?1::json)::bigint)) AND run BETWEEN ?3::bigint AND ?4::bigint
    AND seq <= ?2::bigint
ORDER BY run, seq
