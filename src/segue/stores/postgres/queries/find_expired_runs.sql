-- Runs that closed before a time, and when, longest ago first; never the newest of all, and no child of an open parent,
-- which may still ask for it; in these slots: of several workers each deletes its own. Locks: nothing, reads the last
-- committed state: what is closed stays closed until it is deleted.
SELECT run, closed_at FROM segue.runs AS ended
WHERE closed_at < ?1::bigint AND state IN (SELECT json_array_elements_text(?2::json))
    AND (?3::text IS NULL OR workflow = ?3::text)
    AND workflow NOT IN (SELECT json_array_elements_text(?4::json)) AND (?5::text IS NULL OR app = ?5::text)
    AND (?7::text IS NULL OR namespace = ?7::text)
    AND namespace NOT IN (SELECT json_array_elements_text(?8::json))
    AND run < (SELECT max(run) FROM segue.runs)
    AND NOT EXISTS (SELECT 1 FROM segue.runs AS above WHERE above.run = ended.parent AND above.closed_at IS NULL)
    AND EXISTS (
        SELECT 1 FROM unnest(?9::integer[], ?10::integer[]) AS owned (low, high) WHERE ended.slot BETWEEN low AND high
    )
ORDER BY closed_at LIMIT ?6::bigint
