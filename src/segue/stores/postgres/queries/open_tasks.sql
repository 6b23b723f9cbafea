-- Opens human tasks of runs, in the runs' namespaces. Locks: rows of runs that the batch's fence covers, which nobody
-- else writes. The unique index on (run, key) refuses a task that was opened before.
INSERT INTO segue.tasks (run, namespace, key, name, assignee, opened_at, due, form, subject)
SELECT
    given.run, (SELECT namespace FROM segue.runs WHERE runs.run = given.run), given.key, given.name, given.assignee,
    given.opened_at, given.due, given.form, given.subject
FROM unnest(
    ?::bigint[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::bigint[], ?::bytea[], ?::bytea[]
) WITH ORDINALITY AS given (run, key, name, assignee, opened_at, due, form, subject, number)
ORDER BY number
