-- Values of at least so many bytes that are in the database, and how large they are. Locks: nothing, reads the last
-- committed state.
SELECT ref, octet_length(data) FROM segue.payloads WHERE place IS NULL AND octet_length(data) >= ?::bigint LIMIT ?::bigint
