-- Of the values given (JSON list), locks those that may be dropped. Locks: their rows, in order: whoever begins to refer
-- to one holds its key and comes first, and is seen by the statement that follows, or comes after it and keeps it anew.
SELECT 1 FROM segue.payloads WHERE ref = ANY (ARRAY(SELECT json_array_elements_text(?::json))) ORDER BY ref FOR UPDATE
