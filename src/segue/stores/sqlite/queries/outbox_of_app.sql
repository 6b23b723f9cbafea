-- What waits in the outbox for an app and was not refused, of the workflows given (JSON list), oldest first. Locks:
-- nothing, reads the last committed state.
SELECT row, workflow, input, id, tags, namespace, uid FROM segue_outbox
WHERE app = ?1 AND error IS NULL AND workflow IN (SELECT value FROM json_each(?2))
ORDER BY row LIMIT ?3
