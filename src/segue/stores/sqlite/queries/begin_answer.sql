-- Takes an idempotency key for a request; also one that the same request began before ?6 and that was never answered.
-- No row comes back if it is taken. Locks: the row of the key, so of two that want it one gets it.
INSERT INTO segue_answers (namespace, actor, key, request, at) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (namespace, actor, key) DO UPDATE SET at = excluded.at
WHERE segue_answers.request = excluded.request AND segue_answers.status IS NULL AND segue_answers.at < ?6
RETURNING key
