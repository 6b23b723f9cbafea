-- Of these places (JSON list), those that are announced and where nobody has begun to remove what is there. Locks: their
-- rows, in order: whoever begins to remove what is there came before, and is seen, or comes after, and finds it gone.
SELECT place FROM segue.leftovers
WHERE place = ANY (ARRAY(SELECT json_array_elements_text(?::json))) AND since > 0
ORDER BY place
FOR UPDATE
