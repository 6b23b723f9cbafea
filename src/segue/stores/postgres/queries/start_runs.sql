-- Inserts runs whose ids were found free; behind what the other dialect takes comes the slot of each. Locks: new rows;
-- the unique index on (namespace, id, superseded) refuses a second current run of an id, and the batch comes again.
INSERT INTO segue.runs (
    run, namespace, id, uid, app, workflow, version, wake, started_at, changed_at, parent, input_hash, tags, state,
    summary, slot
)
SELECT
    run, namespace, id, uid, app, workflow, version, wake, at, at, parent, input_hash, tags::jsonb, state, summary, slot
FROM unnest(
    ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::bigint[],
    ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[], ?::integer[]
) AS given (
    run, namespace, id, uid, app, workflow, version, wake, at, parent, input_hash, tags, state, summary, slot
)
ORDER BY namespace, id
