-- The current run of an id. Locks: nothing, reads the last committed state.
SELECT
    runs.run, runs.namespace, runs.id, runs.uid, runs.app, runs.workflow, runs.version, runs.state, runs.wake,
    runs.started_at, runs.changed_at, runs.closed_at, runs.parent, runs.error, runs.input_hash,
    runs.chain, runs.summary, runs.timer, runs.awaits, runs.slot, runs.tags::text,
    (SELECT json_object_agg(name, value::json)::text FROM segue.attributes WHERE attributes.run = runs.run)
FROM segue.runs
WHERE runs.namespace = ?::text AND runs.id = ?::text AND runs.superseded = 0
