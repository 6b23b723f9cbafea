-- Removes what is left for runs that closed. Locks: rows of runs that the batch's fence covers, which nobody else
-- writes. Their rows are locked since before the check for unseen messages, and whoever posts shares such a lock first.
DELETE FROM segue.inbox USING unnest(?::bigint[]) AS closed (run) WHERE inbox.run = closed.run
