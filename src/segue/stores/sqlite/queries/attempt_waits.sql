-- Whether an attempt can be activated, by (namespace, app, queue, time, JSON list of steps or NULL for
-- any). Locks: nothing, reads the last committed state.
SELECT EXISTS (
    SELECT 1 FROM attempts JOIN runs ON runs.run = attempts.run
    WHERE
        attempts.queue = ?3 AND attempts.queue <> '' AND attempts.lease <= ?4
        AND (?5 IS NULL OR attempts.name IN (SELECT value FROM json_each(?5)))
        AND (attempts.close_by = 0 OR attempts.close_by > ?4)
        AND runs.namespace = ?1 AND runs.app = ?2 AND runs.closed_at IS NULL AND NOT (runs.state = 'paused' AND runs.error IS NOT NULL)
        AND NOT EXISTS (
            SELECT 1 FROM held_steps
            WHERE held_steps.app = ?2 AND held_steps.namespace = ?1 AND held_steps.step = attempts.name
                AND held_steps.state = 'paused'
        )
)
