-- Whether an attempt can be activated, by (namespace, app, queue, time, JSON list of steps or NULL for
-- any). Locks: nothing, reads the last committed state.
SELECT EXISTS (
    SELECT 1 FROM segue.attempts JOIN segue.runs ON runs.run = attempts.run
    WHERE
        attempts.queue = ?3::text AND attempts.queue <> '' AND attempts.lease <= ?4::bigint
        AND (?5::json IS NULL OR attempts.name = ANY (ARRAY(SELECT json_array_elements_text(?5::json))))
        AND (attempts.close_by = 0 OR attempts.close_by > ?4::bigint)
        AND runs.namespace = ?1::text AND runs.app = ?2::text AND runs.closed_at IS NULL AND NOT (runs.state = 'paused' AND runs.error IS NOT NULL)
        AND NOT EXISTS (
            SELECT 1 FROM segue.held_steps
            WHERE held_steps.app = ?2::text AND held_steps.namespace = ?1::text AND held_steps.step = attempts.name
                AND held_steps.state = 'paused'
        )
)
