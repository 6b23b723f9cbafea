-- Large values by content address (JSON list). Locks: nothing, reads the last committed state.
SELECT ref, data, place FROM segue.payloads WHERE ref IN (SELECT json_array_elements_text(?::json))
