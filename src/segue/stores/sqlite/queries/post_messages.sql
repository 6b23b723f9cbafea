-- Puts messages into inboxes of open runs. Locks: the batch holds the file's only write lock, and its addressees were
-- found open under it.
INSERT INTO inbox (row, run, kind, message, at, body)
SELECT column1, column2, column3, column4, column5, column6
FROM (VALUES (?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL
