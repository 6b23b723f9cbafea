-- The first events of runs (JSON list), up to a number. Locks: nothing, reads the last committed state.
SELECT run, seq, event FROM segue.journal
WHERE run = ANY (ARRAY(SELECT json_array_elements_text(?::json)::bigint)) AND seq <= ?::bigint
ORDER BY run, seq
