-- What is kept of the attempts of runs (JSON list) that go on. Locks: nothing, reads the last committed state.
SELECT
    run, key, name, attempt, at, details, handed_over, queue, seq, timeout, close_by, claim, lease, began, worker,
    returned
FROM segue.attempts WHERE run = ANY (ARRAY(SELECT json_array_elements_text(?::json)::bigint)) ORDER BY run, key
