-- Takes an idempotency key for a request; also one that the same request began before ?6 and that was never answered.
-- No row comes back if it is taken. Locks: the row of the key, so of two that want it one gets it.
INSERT INTO segue.answers AS kept (namespace, actor, key, request, at) VALUES (
    ?1::text, ?2::text, ?3::text, ?4::text, ?5::bigint
)
ON CONFLICT (namespace, actor, key) DO UPDATE SET at = excluded.at
WHERE kept.request = excluded.request AND kept.status IS NULL AND kept.at < ?6::bigint
RETURNING key
