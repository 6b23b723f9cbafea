-- Removes messages that became events, by row. Locks: rows of runs that the batch's fence covers, which nobody else
-- writes.
DELETE FROM segue.inbox USING unnest(?::bigint[]) AS consumed (row) WHERE inbox.row = consumed.row
