-- Deletes the message ids of runs that are past their time (JSON list). Locks: the transaction holds the file's only
-- write lock for a small batch of runs; they are closed, so nobody writes to them meanwhile.
DELETE FROM messages
WHERE chain IN (SELECT coalesce(chain, run) FROM runs WHERE runs.run IN (SELECT value FROM json_each(?1)))
    AND run IN (SELECT value FROM json_each(?1))
