-- Takes back a run's references to values (JSON list). Locks: rows of closed runs, which nobody writes any more.
DELETE FROM segue.payload_refs WHERE run = ?::bigint AND ref IN (SELECT json_array_elements_text(?::json))
