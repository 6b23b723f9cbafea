-- Drops the lines of runs (JSON list). Locks: rows of closed runs, which nobody writes any more.
DELETE FROM segue.log_lines WHERE run = ANY (ARRAY(SELECT json_array_elements_text(?::json)::bigint))
