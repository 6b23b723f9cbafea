-- How many attempts are in which queue, by (namespace or NULL for any, app or NULL for any, time, at how many to look at
-- most): namespace, app, queue, how they stand, who has them if somebody does, how many, and since when the first does.
-- Reads what is in queues, and no more. Locks: nothing, reads the last committed state.
WITH queued AS MATERIALIZED (
    SELECT run, name, queue, lease, at, began, worker FROM segue.attempts
    WHERE queue <> '' ORDER BY queue, at LIMIT ?4::bigint
)
SELECT namespace, app, queue, stands, worker, count(*), min(since) FROM (
    SELECT
        runs.namespace, runs.app, queued.queue,
        CASE
            WHEN queued.lease > ?3::bigint THEN 'held'
            WHEN runs.state = 'paused' AND runs.error IS NOT NULL OR held_steps.step IS NOT NULL THEN 'paused'
            ELSE 'waiting'
        END AS stands,
        CASE WHEN queued.lease > ?3::bigint THEN queued.worker ELSE '' END AS worker,
        CASE WHEN queued.lease > ?3::bigint THEN queued.began ELSE greatest(queued.at, queued.lease) END AS since
    FROM queued
    JOIN segue.runs ON runs.run = queued.run
    LEFT JOIN segue.held_steps
        ON held_steps.app = runs.app AND held_steps.namespace = runs.namespace AND held_steps.step = queued.name
            AND held_steps.state = 'paused'
    WHERE
        (?1::text IS NULL OR runs.namespace = ?1::text) AND (?2::text IS NULL OR runs.app = ?2::text)
        AND runs.closed_at IS NULL
) AS found
GROUP BY namespace, app, queue, stands, worker
ORDER BY namespace, app, queue, stands, worker
