-- Lines of a run in order of arrival, from a cursor on: those of the stream that holds progress, or all others. Locks:
-- nothing, reads the last committed state.
SELECT run, key, attempt, at, level, stream, text, row FROM segue.log_lines
WHERE run = ?::bigint AND row > ?::bigint AND (stream = 'progress') = ?::boolean ORDER BY row LIMIT ?::bigint
