-- One session. Locks: nothing, reads the last committed state.
SELECT digest, owner, created_at, expires_at FROM segue.sessions WHERE digest = ?1::text
