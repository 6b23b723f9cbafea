-- Keeps what attempts have said, by (run, key, name, attempt, time, details, handed over), for runs that are open.
-- Locks: the rows of the attempts; only their run's owner writes them, and who completes one from outside.
INSERT INTO segue.attempts (run, key, name, attempt, at, details, handed_over)
SELECT given.run, given.key, given.name, given.attempt, given.at, given.details, given.over <> 0
FROM unnest(?::bigint[], ?::text[], ?::text[], ?::integer[], ?::bigint[], ?::bytea[], ?::integer[])
    AS given (run, key, name, attempt, at, details, over)
JOIN segue.runs ON runs.run = given.run
WHERE runs.closed_at IS NULL
ON CONFLICT (run, key) DO UPDATE SET
    name = excluded.name, attempt = excluded.attempt, at = excluded.at,
    details = coalesce(excluded.details, attempts.details), handed_over = excluded.handed_over
