-- Where a step's result for a key stands. Locks: nothing, reads the last committed state.
SELECT namespace, step, key, run, seq, at, expires FROM segue.cached
WHERE namespace = ?1::text AND step = ?2::text AND key = ?3::text
