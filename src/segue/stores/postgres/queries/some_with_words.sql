-- Runs with a word from one (included) to another (not included), as they come, up to a number of rows. Locks: nothing, reads the last committed state.
SELECT run FROM segue.words
WHERE namespace = ?::text AND word >= ?::text AND word < ?::text ORDER BY word LIMIT ?::bigint
