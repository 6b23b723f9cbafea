-- Drops the lines of runs (JSON list); behind what the other dialect takes come the first and the last of these runs.
-- Locks: rows of closed runs, which nobody writes any more.
DELETE FROM segue.log_lines
WHERE run = ANY (ARRAY(SELECT json_array_elements_text(?1::json)::bigint)) AND run BETWEEN ?2::bigint AND ?3::bigint
