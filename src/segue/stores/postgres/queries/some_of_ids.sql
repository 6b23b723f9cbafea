-- Runs whose id is from one (included) to another (not included), as they come, up to a number. Locks: nothing, reads the last committed state.
SELECT run FROM segue.runs
WHERE namespace = ?::text AND id >= ?::text AND id < ?::text ORDER BY namespace, id LIMIT ?::bigint
