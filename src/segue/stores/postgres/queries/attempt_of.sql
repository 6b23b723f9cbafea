-- Which attempt of a call (run, key) is waited for, and whether the run's chain knows a message. Locks: nothing.
SELECT
    coalesce((
        SELECT attempt FROM segue.attempts WHERE run = ?1::bigint AND key = ?2::text AND handed_over
    ), 0),
    EXISTS (
        SELECT 1 FROM segue.runs JOIN segue.messages ON messages.chain = coalesce(runs.chain, runs.run)
        WHERE runs.run = ?1::bigint AND messages.message = ?3::text
    )
