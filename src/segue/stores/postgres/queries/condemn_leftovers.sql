-- What is at these places (JSON list) is about to be removed; those that a value has just got to are left out. Locks:
-- their rows, in order, for this transaction: a value that is just getting there holds one, and takes it away.
UPDATE segue.leftovers SET since = 0
WHERE place IN (
    SELECT place FROM segue.leftovers
    WHERE place = ANY (ARRAY(SELECT json_array_elements_text(?::json)))
    ORDER BY place
    FOR UPDATE
)
RETURNING place
