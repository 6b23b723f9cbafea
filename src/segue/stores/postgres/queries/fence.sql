-- Proves ownership and records the batch, as the first statement of its transaction: no row is changed when somebody
-- has taken over. Locks: the owner's row until COMMIT, which a takeover has to change.
UPDATE segue.owners SET commit_id = ?::bigint WHERE app = ?::text AND epoch = ?::bigint
RETURNING 1
