-- Proves ownership and records the batch, as the first statement of its transaction: no row is changed when somebody
-- has taken over, or when the database has forgotten the last batch that it has acknowledged: a backup was restored, or
-- a standby that lagged behind is the server now. Then what the worker has in memory is of another past. Locks: the
-- owner's row until COMMIT, which a takeover has to change.
UPDATE segue.owners SET commit_id = ?1::bigint WHERE app = ?2::text AND epoch = ?3::bigint AND commit_id >= ?4::bigint
RETURNING 1
