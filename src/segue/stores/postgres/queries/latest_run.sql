-- A run by its number, or the last one of its chain, which the number of its first run still names once that is deleted.
-- Locks: nothing, reads the last committed state.
SELECT
    runs.run, runs.namespace, runs.id, runs.uid, runs.app, runs.workflow, runs.version, runs.state, runs.wake,
    runs.started_at, runs.changed_at, runs.closed_at, runs.parent, runs.error, runs.input_hash,
    runs.chain, runs.summary, runs.timer, runs.awaits, runs.slot, runs.tags::text,
    (SELECT json_object_agg(name, value::json)::text FROM segue.attributes WHERE attributes.run = runs.run)
FROM segue.runs
WHERE runs.run = coalesce(
    (
        SELECT max(later.run) FROM segue.runs AS asked JOIN segue.runs AS later ON later.chain = asked.chain
        WHERE asked.run = ?1::bigint
    ),
    (SELECT max(later.run) FROM segue.runs AS later WHERE later.chain = ?1::bigint),
    ?1::bigint
)
