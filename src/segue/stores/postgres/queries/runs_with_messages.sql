-- Runs of an app with waiting messages, of certain workflows if they are given (JSON list), in these slots, longest
-- waiting first; the inbox holds only what waits, so each of its runs is looked up (OFFSET keeps the planner from reading
-- all runs instead). Locks: nothing, reads the last committed state.
SELECT waiting.run
FROM (SELECT inbox.run, min(inbox.row) AS first FROM segue.inbox GROUP BY inbox.run) AS waiting
CROSS JOIN LATERAL (
    SELECT app, workflow, slot FROM segue.runs WHERE runs.run = waiting.run OFFSET 0
) AS addressed
WHERE
    app = ?1::text AND (?2::text IS NULL OR workflow IN (SELECT json_array_elements_text(?2::json)))
    AND cardinality(?4::integer[]) > 0
    AND EXISTS (
        SELECT 1 FROM unnest(?4::integer[], ?5::integer[]) AS owned (low, high) WHERE slot BETWEEN low AND high
    )
ORDER BY first LIMIT ?3::bigint
