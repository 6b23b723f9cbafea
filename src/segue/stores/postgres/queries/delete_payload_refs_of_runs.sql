-- Deletes the references to large values of runs that are past their time (JSON list). Locks: rows of closed runs,
-- which nobody writes any more.
DELETE FROM segue.payload_refs WHERE run = ANY (ARRAY(SELECT json_array_elements_text(?::json)::bigint))
