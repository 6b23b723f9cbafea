-- The open human tasks of these runs, in the order they were opened. Locks: nothing, reads the last committed state.
SELECT
    tasks.task, tasks.run, runs.id, tasks.namespace, tasks.key, tasks.name, tasks.assignee, tasks.state,
    tasks.opened_at, tasks.due, tasks.form, tasks.subject, tasks.closed_at, tasks.closed_by, tasks.outcome,
    tasks.claimed_by, tasks.claimed_at
FROM tasks JOIN runs ON runs.run = tasks.run
WHERE tasks.run IN (SELECT value FROM json_each(?)) AND tasks.state = 'open'
ORDER BY tasks.task
