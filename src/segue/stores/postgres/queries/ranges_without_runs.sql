-- Those of the ranges of runs in which there is none any more, by their first one. Locks: nothing, reads the last
-- committed state.
SELECT low FROM unnest(?::bigint[], ?::bigint[]) AS given (low, high)
WHERE NOT EXISTS (SELECT 1 FROM segue.runs WHERE run >= low AND run < high)
ORDER BY low
