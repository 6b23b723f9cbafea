-- Opens human tasks of runs, in the runs' namespaces. Locks: the batch holds the file's only write lock; the unique
-- index on (run, key) refuses a task that was opened before.
INSERT INTO tasks (run, namespace, key, name, assignee, opened_at, due, form, subject)
SELECT column1, runs.namespace, column2, column3, column4, column5, column6, column7, column8
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?)) JOIN runs ON runs.run = column1
