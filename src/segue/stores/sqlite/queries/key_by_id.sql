-- One API key. Locks: nothing, reads the last committed state.
SELECT id, digest, owner, label, namespace, permissions, created_at, expires_at, revoked_at
FROM segue_keys WHERE id = ?1
