-- Values of at least so many bytes that are in the database. Locks: nothing, reads the last committed state.
SELECT ref FROM payloads WHERE place IS NULL AND length(data) >= ? LIMIT ?
