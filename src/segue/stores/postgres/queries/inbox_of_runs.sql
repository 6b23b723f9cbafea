-- Waiting messages of the runs (JSON list) in order of arrival. Locks: nothing, reads the last committed state.
SELECT row, run, kind, message, at, body FROM segue.inbox
WHERE run = ANY (ARRAY(SELECT json_array_elements_text(?::json)::bigint))
ORDER BY row
