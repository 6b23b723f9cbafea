-- The last batch of an owner that is in. Locks: nothing, reads the last committed state.
SELECT commit_id FROM segue.owners WHERE app = ?::text AND epoch = ?::bigint
