-- A page of a namespace's human tasks, in the order of an index that is left as soon as the page is full. Conditions are
-- added to WHERE, and an order that goes backwards takes the place of this one. Locks: nothing, reads the last committed
-- state.
SELECT
    tasks.task, tasks.run, runs.id, tasks.namespace, tasks.key, tasks.name, tasks.assignee, tasks.state,
    tasks.opened_at, tasks.due, tasks.form, tasks.subject, tasks.closed_at, tasks.closed_by, tasks.outcome,
    tasks.claimed_by, tasks.claimed_at
FROM segue.tasks JOIN segue.runs ON runs.run = tasks.run
WHERE tasks.namespace = ?
ORDER BY tasks.turn, tasks.task
LIMIT ?::bigint
