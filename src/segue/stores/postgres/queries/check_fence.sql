-- Proves ownership at the start of a transaction that is not a batch: no row when somebody has taken over. Locks: the
-- owner's row, FOR SHARE, so that nobody takes over until COMMIT.
SELECT 1 FROM segue.owners WHERE app = ?::text AND epoch = ?::bigint FOR SHARE
