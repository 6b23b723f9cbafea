-- Runs of an app that are in their owner's memory with something under way (a wake time up to the second value, which
-- stands for that), of certain workflows if they are given (JSON list), in these slots (if there are none, nothing is
-- looked for), oldest first, through the partial index. Locks: nothing, reads the last committed state.
SELECT run FROM segue.runs
WHERE
    app = ?1::text AND wake <= ?2::bigint
    AND (?3::text IS NULL OR workflow IN (SELECT json_array_elements_text(?3::json)))
    AND cardinality(?4::integer[]) > 0
    AND EXISTS (
        SELECT 1 FROM unnest(?4::integer[], ?5::integer[]) AS owned (low, high) WHERE slot BETWEEN low AND high
    )
ORDER BY run
