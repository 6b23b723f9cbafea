-- Removes published values by (run, name). Locks: rows of runs that the batch's fence covers, which nobody else writes.
DELETE FROM segue.published USING unnest(?::bigint[], ?::text[]) AS given (run, name)
WHERE published.run = given.run AND published.name = given.name
