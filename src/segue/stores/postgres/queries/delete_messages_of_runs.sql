-- Deletes the message ids of runs that are past their time (JSON list). Locks: rows of closed runs, which nobody writes
-- any more.
DELETE FROM segue.messages
WHERE run = ANY (ARRAY(SELECT json_array_elements_text(?1::json)::bigint))
    AND chain IN (
        SELECT coalesce(chain, run) FROM segue.runs
        WHERE runs.run = ANY (ARRAY(SELECT json_array_elements_text(?1::json)::bigint))
    )
