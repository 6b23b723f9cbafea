-- Where a step's result for a key stands. Locks: nothing, reads the last committed state.
SELECT namespace, step, key, run, seq, at, expires FROM cached WHERE namespace = ?1 AND step = ?2 AND key = ?3
