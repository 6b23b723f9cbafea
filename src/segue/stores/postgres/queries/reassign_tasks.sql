-- Gives open tasks, by (run, key), to somebody else. Locks: rows of runs that the batch's fence covers, which nobody
-- else writes.
UPDATE segue.tasks SET assignee = changed.assignee
FROM unnest(?::bigint[], ?::text[], ?::text[]) AS changed (run, key, assignee)
WHERE tasks.run = changed.run AND tasks.key = changed.key AND tasks.state = 'open'
