-- One session. Locks: nothing, reads the last committed state.
SELECT digest, owner, created_at, expires_at FROM segue_sessions WHERE digest = ?1
