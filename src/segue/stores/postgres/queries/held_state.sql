-- Keyed state as a transactional step reads it, who may write it next. Locks: its row, so that nobody else writes it until
-- the transaction ends.
SELECT value FROM segue.state WHERE namespace = ?::text AND scope = ?::text AND key = ?::text
FOR UPDATE
