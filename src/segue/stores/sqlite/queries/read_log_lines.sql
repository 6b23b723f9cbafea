-- Lines of a run in order of arrival, from a cursor on: those of the stream that holds progress, or all others; of
-- one call, if one is named (4th), and not of some levels (5th). Locks: nothing, reads the last committed state.
SELECT run, key, attempt, at, level, stream, text, row FROM lines
WHERE run = ?1 AND row > ?2 AND (stream = 'progress') = ?3 AND (?4 IS NULL OR key = ?4)
    AND level NOT IN (SELECT value FROM json_each(?5))
ORDER BY row LIMIT ?6
