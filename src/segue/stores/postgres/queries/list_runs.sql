-- Runs, newest first; conditions of the filter are added to WHERE true. The page is chosen by number first, so that
-- columns are read for its rows only. Locks: nothing, reads the last committed state.
SELECT
    runs.run, runs.namespace, runs.id, runs.uid, runs.app, runs.workflow, runs.version, runs.state, runs.wake,
    runs.started_at, runs.changed_at, runs.closed_at, runs.parent, runs.error, runs.input_hash,
    runs.chain, runs.summary, runs.timer, runs.awaits, runs.slot, runs.tags::text,
    (SELECT json_object_agg(name, value::json)::text FROM segue.attributes WHERE attributes.run = runs.run)
FROM segue.runs
WHERE runs.run IN (SELECT runs.run FROM segue.runs WHERE true ORDER BY runs.run DESC LIMIT ?::bigint)
ORDER BY runs.run DESC
