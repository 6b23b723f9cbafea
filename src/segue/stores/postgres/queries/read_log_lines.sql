-- Lines of a run in order of arrival, from a cursor on: those of the stream that holds progress, or all others; of
-- one call, if one is named (4th), and not of some levels (5th). Locks: nothing, reads the last committed state.
SELECT run, key, attempt, at, level, stream, text, row FROM segue.log_lines
WHERE run = ?1::bigint AND row > ?2::bigint AND (stream = 'progress') = ?3::boolean
    AND (?4::text IS NULL OR key = ?4::text) AND level <> ALL (ARRAY(SELECT json_array_elements_text(?5::json)))
ORDER BY row LIMIT ?6::bigint
