-- Activates attempts that wait, the oldest first, by (namespace, app, queue, time, worker, end of the lease, how many,
-- JSON list of steps or NULL for any).
-- Locks: the batch holds the file's only write lock, so that nobody else activates the same ones.
UPDATE attempts SET claim = claim + 1, lease = ?6, began = ?4, at = ?4, worker = ?5
WHERE (run, key) IN (
    SELECT attempts.run, attempts.key FROM attempts JOIN runs ON runs.run = attempts.run
    WHERE
        attempts.queue = ?3 AND attempts.queue <> '' AND attempts.lease <= ?4
        AND (?8 IS NULL OR attempts.name IN (SELECT value FROM json_each(?8)))
        AND (attempts.close_by = 0 OR attempts.close_by > ?4)
        AND runs.namespace = ?1 AND runs.app = ?2 AND runs.closed_at IS NULL AND NOT (runs.state = 'paused' AND runs.error IS NOT NULL)
        AND NOT EXISTS (
            SELECT 1 FROM held_steps
            WHERE held_steps.app = ?2 AND held_steps.namespace = ?1 AND held_steps.step = attempts.name
                AND held_steps.state = 'paused'
        )
    ORDER BY attempts.at, attempts.run LIMIT ?7
)
RETURNING
    run, key, name, attempt, at, details, handed_over, queue, seq, timeout, close_by, claim, lease, began, worker,
    returned
