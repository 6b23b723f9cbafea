-- What is kept of the attempts of a run that go on. Locks: nothing, reads the last committed state.
SELECT
    run, key, name, attempt, at, details, handed_over, queue, seq, timeout, close_by, claim, lease, began, worker
FROM segue.attempts WHERE run = ?::bigint ORDER BY key
