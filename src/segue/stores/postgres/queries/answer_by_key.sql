-- What is kept under an idempotency key. Locks: nothing, reads the last committed state.
SELECT request, at, status, body FROM segue.answers WHERE namespace = ?1::text AND actor = ?2::text AND key = ?3::text
