-- Deletes the words of runs that are past their time (JSON list). Locks: rows of closed runs, which nobody writes any
-- more.
DELETE FROM segue.words WHERE run = ANY (ARRAY(SELECT json_array_elements_text(?::json)::bigint))
