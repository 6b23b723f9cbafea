-- Inserts runs whose ids were found free. Locks: the batch holds the file's only write lock; the unique index on
-- (namespace, id, superseded) refuses a second current run of an id, whatever was checked before.
INSERT INTO runs (
    run, namespace, id, uid, app, workflow, version, state, wake, started_at, changed_at, parent, input_hash, tags,
    summary
)
SELECT
    column1, column2, column3, column4, column5, column6, column7, column13, column8, column9, column9, column10,
    column11, column12, column14
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL
