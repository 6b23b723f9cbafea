-- Deletes the human tasks of runs that are past their time (JSON list). Locks: rows of closed runs, which nobody writes
-- any more.
DELETE FROM segue.tasks WHERE run = ANY (ARRAY(SELECT json_array_elements_text(?::json)::bigint))
