-- Keyed state. Locks: nothing, reads the last committed state.
SELECT value FROM segue.state WHERE namespace = ?::text AND scope = ?::text AND key = ?::text
