-- Takes tasks back by (run, key, time). Locks: the batch holds the file's only write lock; a task completed a moment
-- before stays completed.
UPDATE tasks SET state = 'withdrawn', closed_at = withdrawn.column3
FROM (VALUES (?, ?, ?)) AS withdrawn
WHERE tasks.run = withdrawn.column1 AND tasks.key = withdrawn.column2 AND tasks.state = 'open'
