-- Gives an idempotency key back. Locks: its row, which only this request has.
DELETE FROM segue.answers WHERE namespace = ?1::text AND actor = ?2::text AND key = ?3::text AND status IS NULL
