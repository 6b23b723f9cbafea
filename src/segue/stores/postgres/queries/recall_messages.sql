-- Remembers the ids of messages that are kept for the next run, by (chain, message, run); most are known. Locks: rows
-- of runs that the batch's fence covers, which nobody else writes.
INSERT INTO segue.messages (chain, message, run)
SELECT * FROM unnest(?::bigint[], ?::text[], ?::bigint[])
ON CONFLICT DO NOTHING
