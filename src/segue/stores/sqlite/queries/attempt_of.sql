-- Which attempt of a call (run, key) is waited for, and whether the run's chain knows a message. Locks: reads under the
-- batch's own write lock.
SELECT
    coalesce((SELECT attempt FROM attempts WHERE run = ?1 AND key = ?2 AND handed_over = 1), 0),
    EXISTS (
        SELECT 1 FROM runs JOIN messages ON messages.chain = coalesce(runs.chain, runs.run)
        WHERE runs.run = ?1 AND messages.message = ?3
    )
