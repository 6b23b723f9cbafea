-- Whether the bytes of any value are elsewhere. Locks: nothing, reads the last committed state.
SELECT 1 FROM payloads WHERE place IS NOT NULL LIMIT 1
