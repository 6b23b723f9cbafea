-- Puts messages that nobody took into the inbox of the next run, by (run, kind, message, time, body). Locks: the batch
-- holds the file's only write lock.
INSERT INTO inbox (run, kind, message, at, body)
SELECT column1, column2, column3, column4, column5 FROM (VALUES (?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL
