-- Remembers message ids by (chain, message, run) for as long as the run is kept. Locks: new rows, in order; the primary
-- key refuses a message that has come meanwhile, and the batch comes again.
INSERT INTO segue.messages (chain, message, run)
SELECT * FROM unnest(?::bigint[], ?::text[], ?::bigint[]) AS given (chain, message, run) ORDER BY chain, message
