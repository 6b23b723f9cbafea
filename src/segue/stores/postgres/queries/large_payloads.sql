-- Values of at least so many bytes that are in the database. Locks: nothing, reads the last committed state.
SELECT ref FROM segue.payloads WHERE place IS NULL AND octet_length(data) >= ?::bigint LIMIT ?::bigint
