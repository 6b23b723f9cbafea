-- The earliest wake time of an app after a moment, in these slots, from the partial index. Locks: nothing, reads the
-- last committed state.
SELECT wake FROM segue.runs
WHERE app = ?::text AND wake > ?::bigint AND EXISTS (
    SELECT 1 FROM unnest(?::integer[], ?::integer[]) AS owned (low, high) WHERE runs.slot BETWEEN low AND high
)
ORDER BY wake LIMIT 1
