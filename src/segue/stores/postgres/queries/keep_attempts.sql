-- Keeps what attempts have said, by (run, key, name, attempt, time, details, handed over, queue, event, timeout, close by),
-- for runs that are open; one that waits in a queue waits to be activated anew. Locks: the rows of the attempts; only
-- their run's owner writes them, who activates one, and who completes one from outside.
INSERT INTO segue.attempts (run, key, name, attempt, at, details, handed_over, queue, seq, timeout, close_by)
SELECT given.run, given.key, given.name, given.attempt, given.at, given.details, given.over <> 0, given.queue, given.seq,
    given.timeout, given.close_by
FROM unnest(
    ?::bigint[], ?::text[], ?::text[], ?::integer[], ?::bigint[], ?::bytea[], ?::integer[], ?::text[], ?::bigint[],
    ?::bigint[], ?::bigint[]
) AS given (run, key, name, attempt, at, details, over, queue, seq, timeout, close_by)
JOIN segue.runs ON runs.run = given.run
WHERE runs.closed_at IS NULL
ON CONFLICT (run, key) DO UPDATE SET
    name = excluded.name, attempt = excluded.attempt, at = excluded.at,
    details = coalesce(excluded.details, attempts.details), handed_over = excluded.handed_over,
    queue = excluded.queue, seq = excluded.seq, timeout = excluded.timeout, close_by = excluded.close_by,
    claim = 0, lease = 0, began = 0, worker = '', returned = 0
