-- The earliest wake time of an app after a moment, in these slots (if there are none, nothing is looked for), from the
-- partial index. Locks: nothing, reads the last committed state.
SELECT wake FROM segue.runs
WHERE app = ?1::text AND wake > ?2::bigint AND cardinality(?3::integer[]) > 0 AND EXISTS (
    SELECT 1 FROM unnest(?3::integer[], ?4::integer[]) AS owned (low, high) WHERE runs.slot BETWEEN low AND high
)
ORDER BY wake LIMIT 1
