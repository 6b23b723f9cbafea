-- Forgets attempts that have ended, by (run, key). Locks: rows of runs that the batch's fence covers, which nobody else
-- writes.
DELETE FROM segue.attempts USING unnest(?::bigint[], ?::text[]) AS given (run, key)
WHERE attempts.run = given.run AND attempts.key = given.key
