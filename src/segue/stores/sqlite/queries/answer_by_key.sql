-- What is kept under an idempotency key. Locks: nothing, reads the last committed state.
SELECT request, at, status, body FROM segue_answers WHERE namespace = ?1 AND actor = ?2 AND key = ?3
