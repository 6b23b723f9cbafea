-- What waits in the outbox for an app and was not refused, of the workflows given (JSON list), oldest first. Locks:
-- nothing, reads the last committed state.
SELECT row, workflow, input::text, id, tags::text, namespace, uid FROM segue.outbox
WHERE app = ?1::text AND error IS NULL AND workflow IN (SELECT json_array_elements_text(?2::json))
ORDER BY row LIMIT ?3::bigint
