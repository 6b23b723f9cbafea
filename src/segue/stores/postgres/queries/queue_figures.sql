-- How many attempts are in which queue, by (namespace or NULL for any, app or NULL for any, time, at how many to look at
-- most): namespace, app, queue, how they stand, who has them if somebody does, how many, and since when the first does.
-- Locks: nothing, reads the last committed state.
SELECT namespace, app, queue, stands, worker, count(*), min(since) FROM (
    SELECT
        runs.namespace, runs.app, attempts.queue,
        CASE
            WHEN attempts.lease > ?3::bigint THEN 'held'
            WHEN runs.state = 'paused' AND runs.error IS NOT NULL OR held_steps.step IS NOT NULL THEN 'paused'
            ELSE 'waiting'
        END AS stands,
        CASE WHEN attempts.lease > ?3::bigint THEN attempts.worker ELSE '' END AS worker,
        CASE
            WHEN attempts.lease > ?3::bigint THEN attempts.began
            ELSE greatest(attempts.at, attempts.lease)
        END AS since
    FROM segue.attempts
    JOIN segue.runs ON runs.run = attempts.run
    LEFT JOIN segue.held_steps
        ON held_steps.app = runs.app AND held_steps.namespace = runs.namespace AND held_steps.step = attempts.name
            AND held_steps.state = 'paused'
    WHERE
        attempts.queue <> '' AND (?1::text IS NULL OR runs.namespace = ?1::text)
        AND (?2::text IS NULL OR runs.app = ?2::text) AND runs.closed_at IS NULL
    LIMIT ?4::bigint
) AS found
GROUP BY namespace, app, queue, stands, worker
ORDER BY namespace, app, queue, stands, worker
