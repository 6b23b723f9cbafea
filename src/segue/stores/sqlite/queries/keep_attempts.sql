-- Keeps what attempts have said, by (run, key, name, attempt, time, details, handed over, queue, event, timeout, close by),
-- for runs that are open; one that waits in a queue waits to be activated anew. Locks: the batch holds the file's only
-- write lock.
INSERT INTO attempts (run, key, name, attempt, at, details, handed_over, queue, seq, timeout, close_by)
SELECT column1, column2, column3, column4, column5, column6, column7, column8, column9, column10, column11
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) JOIN runs ON runs.run = column1
WHERE runs.closed_at IS NULL
ON CONFLICT (run, key) DO UPDATE SET
    name = excluded.name, attempt = excluded.attempt, at = excluded.at,
    details = coalesce(excluded.details, attempts.details), handed_over = excluded.handed_over,
    queue = excluded.queue, seq = excluded.seq, timeout = excluded.timeout, close_by = excluded.close_by,
    claim = 0, lease = 0, began = 0, worker = '', returned = 0
