-- Nothing is at these places (JSON list) any more, or a value is. Locks: their rows, for this transaction.
DELETE FROM segue.leftovers WHERE place IN (SELECT json_array_elements_text(?::json))
