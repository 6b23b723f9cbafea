-- Inserts the run that goes on from another one (run, uid, version, wake, time), under its id and with what is said of
-- it. Locks: the batch holds the file's only write lock, and the run before has given up the id in the same transaction.
INSERT INTO runs (
    run, namespace, id, uid, app, workflow, version, state, wake, started_at, changed_at, parent, input_hash, tags,
    chain, summary
)
SELECT
    (SELECT max(run) FROM runs) + 1, namespace, id, ?2, app, workflow, ?3, 'running', ?4, ?5, ?5, parent, input_hash,
    tags, chain, summary
FROM runs WHERE run = ?1
RETURNING run, chain
