-- The large values that runs (JSON list) refer to. Locks: rows of closed runs, which nobody writes any more.
SELECT DISTINCT ref FROM segue.payload_refs WHERE run = ANY (ARRAY(SELECT json_array_elements_text(?::json)::bigint))
