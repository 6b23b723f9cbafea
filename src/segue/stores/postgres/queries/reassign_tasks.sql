-- Gives open tasks, by (run, key), to somebody else; whoever had claimed one has it no more. Locks: the tasks' rows, for
-- which somebody who claims one waits.
UPDATE segue.tasks SET assignee = changed.assignee, claimed_by = NULL, claimed_at = NULL
FROM unnest(?::bigint[], ?::text[], ?::text[]) AS changed (run, key, assignee)
WHERE tasks.run = changed.run AND tasks.key = changed.key AND tasks.state = 'open'
