-- Runs of an app whose wake time lies between two times, of certain workflows if they are given (JSON list), in these
-- slots (their first and their last ones; if there are none, nothing is looked for), earliest first, through the partial
-- index. Locks: nothing, reads the last committed state.
SELECT
    runs.run, runs.namespace, runs.id, runs.uid, runs.app, runs.workflow, runs.version, runs.state, runs.wake,
    runs.started_at, runs.changed_at, runs.closed_at, runs.parent, runs.error, runs.input_hash,
    runs.chain, runs.summary, runs.timer, runs.awaits, runs.slot, runs.tags::text,
    (SELECT json_object_agg(name, value::json)::text FROM segue.attributes WHERE attributes.run = runs.run)
FROM segue.runs
WHERE
    runs.app = ?1::text AND runs.wake >= ?2::bigint AND runs.wake <= ?3::bigint
    AND (?4::text IS NULL OR runs.workflow IN (SELECT json_array_elements_text(?4::json)))
    AND cardinality(?6::integer[]) > 0
    AND EXISTS (
        SELECT 1 FROM unnest(?6::integer[], ?7::integer[]) AS owned (low, high) WHERE runs.slot BETWEEN low AND high
    )
ORDER BY runs.wake LIMIT ?5::bigint
