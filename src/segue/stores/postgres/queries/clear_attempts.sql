-- Forgets the attempts of runs that closed. Locks: rows of runs that the batch's fence covers, which nobody else
-- writes.
DELETE FROM segue.attempts USING unnest(?::bigint[]) AS closed (run) WHERE attempts.run = closed.run
