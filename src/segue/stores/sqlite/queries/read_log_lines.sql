-- Lines of a run in order of arrival, from a cursor on. Locks: nothing, reads the last committed state.
SELECT run, key, attempt, at, level, stream, text, row FROM lines WHERE run = ? AND row > ? ORDER BY row LIMIT ?
