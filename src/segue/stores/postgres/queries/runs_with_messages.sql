-- Runs of an app with waiting messages, of certain workflows if they are given (JSON list), in these slots, longest
-- waiting first; the inbox holds only what waits. Locks: nothing, reads the last committed state.
SELECT inbox.run FROM segue.inbox JOIN segue.runs ON runs.run = inbox.run
WHERE runs.app = ?1::text AND (?2::text IS NULL OR runs.workflow IN (SELECT json_array_elements_text(?2::json)))
    AND cardinality(?4::integer[]) > 0
    AND EXISTS (
        SELECT 1 FROM unnest(?4::integer[], ?5::integer[]) AS owned (low, high) WHERE runs.slot BETWEEN low AND high
    )
GROUP BY inbox.run ORDER BY min(inbox.row) LIMIT ?3::bigint
