-- Keyed state. Locks: nothing, reads the last committed state.
SELECT value FROM state WHERE namespace = ? AND scope = ? AND key = ?
