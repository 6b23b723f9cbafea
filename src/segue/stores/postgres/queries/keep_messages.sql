-- Puts messages that nobody took into the inbox of the next run, by (run, kind, message, time, body). Locks: rows of
-- runs that the batch's fence covers, which nobody else writes.
INSERT INTO segue.inbox (run, kind, message, at, body)
SELECT * FROM unnest(?::bigint[], ?::text[], ?::text[], ?::bigint[], ?::bytea[])
