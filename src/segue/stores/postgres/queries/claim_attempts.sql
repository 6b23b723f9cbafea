-- Activates attempts that wait, the oldest first, by (namespace, app, queue, time, worker, end of the lease, how many,
-- JSON list of steps or NULL for any).
-- Locks: their rows, SKIP LOCKED, so that nobody waits for somebody else's, and no two activate the same one. Not the
-- runs' rows: whoever closes a run waits for the activation and then takes the attempt away, whose token is void then.
WITH chosen AS MATERIALIZED (
    SELECT attempts.run, attempts.key FROM segue.attempts JOIN segue.runs ON runs.run = attempts.run
    WHERE
        attempts.queue = ?3::text AND attempts.queue <> '' AND attempts.lease <= ?4::bigint
        AND (?8::json IS NULL OR attempts.name = ANY (ARRAY(SELECT json_array_elements_text(?8::json))))
        AND (attempts.close_by = 0 OR attempts.close_by > ?4::bigint)
        AND runs.namespace = ?1::text AND runs.app = ?2::text AND runs.closed_at IS NULL AND NOT (runs.state = 'paused' AND runs.error IS NOT NULL)
        AND NOT EXISTS (
            SELECT 1 FROM segue.held_steps
            WHERE held_steps.app = ?2::text AND held_steps.namespace = ?1::text AND held_steps.step = attempts.name
                AND held_steps.state = 'paused'
        )
    ORDER BY attempts.at, attempts.run LIMIT ?7::integer
    FOR UPDATE OF attempts SKIP LOCKED
)
UPDATE segue.attempts
SET claim = attempts.claim + 1, lease = ?6::bigint, began = ?4::bigint, at = ?4::bigint, worker = ?5::text
FROM chosen
WHERE attempts.run = chosen.run AND attempts.key = chosen.key
RETURNING
    attempts.run, attempts.key, attempts.name, attempts.attempt, attempts.at, attempts.details, attempts.handed_over,
    attempts.queue, attempts.seq, attempts.timeout, attempts.close_by, attempts.claim, attempts.lease, attempts.began,
    attempts.worker, attempts.returned
