-- Revokes an API key for ever; no row comes back if there is none, or it is revoked already. Locks: its row.
UPDATE segue.api_keys SET revoked_at = ?2::bigint WHERE id = ?1::text AND revoked_at IS NULL
RETURNING id
