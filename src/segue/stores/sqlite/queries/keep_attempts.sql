-- Keeps what attempts have said, by (run, key, name, attempt, time, details, handed over), for runs that are open. Locks:
-- the batch holds the file's only write lock.
INSERT INTO attempts (run, key, name, attempt, at, details, handed_over)
SELECT column1, column2, column3, column4, column5, column6, column7
FROM (VALUES (?, ?, ?, ?, ?, ?, ?)) JOIN runs ON runs.run = column1
WHERE runs.closed_at IS NULL
ON CONFLICT (run, key) DO UPDATE SET
    name = excluded.name, attempt = excluded.attempt, at = excluded.at,
    details = coalesce(excluded.details, attempts.details), handed_over = excluded.handed_over
