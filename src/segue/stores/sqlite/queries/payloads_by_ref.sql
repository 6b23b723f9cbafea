-- Large values by content address (JSON list). Locks: nothing, reads the last committed state.
SELECT ref, data, place FROM payloads WHERE ref IN (SELECT value FROM json_each(?))
