-- Gives an idempotency key back. Locks: its row, which only this request has.
DELETE FROM segue_answers WHERE namespace = ?1 AND actor = ?2 AND key = ?3 AND status IS NULL
