-- Remembers message ids by (run, message) that came to their runs without the inbox; the same one may have been posted
-- meanwhile. Locks: new rows, in order; waits for whoever posts the same message in this moment.
INSERT INTO segue.messages (chain, message, run)
SELECT coalesce(runs.chain, runs.run), given.message, given.run
FROM unnest(?::bigint[], ?::text[]) AS given (run, message)
JOIN segue.runs ON runs.run = given.run
ORDER BY 1, 2
ON CONFLICT DO NOTHING
