-- Puts messages into inboxes of open runs. Locks: new rows; their addressees' rows are shared since they were found
-- open.
INSERT INTO segue.inbox (row, run, kind, message, at, body)
SELECT * FROM unnest(?::bigint[], ?::bigint[], ?::text[], ?::text[], ?::bigint[], ?::bytea[])
