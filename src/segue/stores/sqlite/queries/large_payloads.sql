-- Values of at least so many bytes that are in the database, and how large they are. Locks: nothing, reads the last
-- committed state.
SELECT ref, length(data) FROM payloads WHERE place IS NULL AND length(data) >= ? LIMIT ?
