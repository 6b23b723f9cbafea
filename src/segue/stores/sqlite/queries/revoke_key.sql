-- Revokes an API key for ever; no row comes back if there is none, or it is revoked already. Locks: its row.
UPDATE segue_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL
RETURNING id
