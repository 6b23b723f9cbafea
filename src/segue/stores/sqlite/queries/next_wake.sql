-- The earliest wake time of an app after a moment, from the partial index alone. Locks: nothing, reads the last
-- committed state.
SELECT wake FROM runs WHERE app = ? AND wake > ? ORDER BY wake LIMIT 1
