-- All API keys, the newest first. Locks: nothing, reads the last committed state.
SELECT id, digest, owner, label, namespace, permissions, created_at, expires_at, revoked_at
FROM segue_keys ORDER BY created_at DESC, id
