-- Gives open tasks, by (run, key), to somebody else; whoever had claimed one has it no more. Locks: the batch holds the
-- file's only write lock.
UPDATE tasks SET assignee = changed.column3, claimed_by = NULL, claimed_at = NULL
FROM (VALUES (?, ?, ?)) AS changed
WHERE tasks.run = changed.column1 AND tasks.key = changed.column2 AND tasks.state = 'open'
