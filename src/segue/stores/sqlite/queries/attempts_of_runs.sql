-- What is kept of the attempts of runs (JSON list) that go on. Locks: nothing, reads the last committed state.
SELECT
    run, key, name, attempt, at, details, handed_over, queue, seq, timeout, close_by, claim, lease, began, worker,
    returned
FROM attempts WHERE run IN (SELECT value FROM json_each(?)) ORDER BY run, key
