-- Runs with a word from one (included) to another (not included), as they come, up to a number of rows. Locks: nothing, reads the last committed state.
SELECT run FROM words WHERE namespace = ? AND word >= ? AND word < ? LIMIT ?
