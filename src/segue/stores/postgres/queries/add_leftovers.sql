-- Values are on their way to these places (JSON list), since a time. Locks: new rows, of names that nobody else knows.
INSERT INTO segue.leftovers (place, since) SELECT json_array_elements_text(?1::json), ?2::bigint
