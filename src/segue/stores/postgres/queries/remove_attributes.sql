-- Removes search attributes by (run, name). Locks: rows of runs that the batch's fence covers, which nobody else
-- writes.
DELETE FROM segue.attributes USING unnest(?::bigint[], ?::text[]) AS given (run, name)
WHERE attributes.run = given.run AND attributes.name = given.name
