-- How many attempts are in which queue, by (namespace or NULL for any, app or NULL for any, time, at how many to look at
-- most): namespace, app, queue, how they stand, who has them if somebody does, how many, and since when the first does.
-- Reads what is in queues, and no more. Locks: nothing, reads the last committed state.
SELECT namespace, app, queue, stands, worker, count(*), min(since) FROM (
    SELECT
        runs.namespace, runs.app, queued.queue,
        CASE
            WHEN queued.lease > ?3 THEN 'held'
            WHEN runs.state = 'paused' AND runs.error IS NOT NULL OR held_steps.step IS NOT NULL THEN 'paused'
            ELSE 'waiting'
        END AS stands,
        iif(queued.lease > ?3, queued.worker, '') AS worker,
        iif(queued.lease > ?3, queued.began, max(queued.at, queued.lease)) AS since
    FROM (SELECT * FROM attempts WHERE queue <> '' ORDER BY queue, at LIMIT ?4) AS queued
    CROSS JOIN runs ON runs.run = queued.run
    LEFT JOIN held_steps
        ON held_steps.app = runs.app AND held_steps.namespace = runs.namespace AND held_steps.step = queued.name
            AND held_steps.state = 'paused'
    WHERE (?1 IS NULL OR runs.namespace = ?1) AND (?2 IS NULL OR runs.app = ?2) AND runs.closed_at IS NULL
)
GROUP BY namespace, app, queue, stands, worker
ORDER BY namespace, app, queue, stands, worker
