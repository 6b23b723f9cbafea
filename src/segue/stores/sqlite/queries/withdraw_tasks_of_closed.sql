-- Nobody is asked for what no longer counts: takes back the open tasks of runs that closed (run, time). Locks: the
-- batch holds the file's only write lock; a task completed a moment before stays completed.
UPDATE tasks SET state = 'withdrawn', closed_at = closed.column2
FROM (VALUES (?, ?)) AS closed
WHERE tasks.run = closed.column1 AND tasks.state = 'open'
