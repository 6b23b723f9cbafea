-- A run by its number, or the last one of its chain, which the number of its first run still names once that is deleted.
-- Locks: nothing, reads the last committed state.
SELECT
    runs.run, runs.namespace, runs.id, runs.uid, runs.app, runs.workflow, runs.version, runs.state, runs.wake,
    runs.started_at, runs.changed_at, runs.closed_at, runs.parent, runs.error, runs.input_hash,
    runs.chain, runs.summary, runs.timer, runs.awaits, 0, runs.tags,
    (SELECT json_group_object(name, json(value)) FROM attributes WHERE attributes.run = runs.run)
FROM runs
WHERE runs.run = coalesce(
    (SELECT max(later.run) FROM runs AS asked JOIN runs AS later ON later.chain = asked.chain WHERE asked.run = ?1),
    (SELECT max(later.run) FROM runs AS later WHERE later.chain = ?1),
    ?1
)
