-- The last batch of an owner that is in. Locks: reads the last committed state.
SELECT commit_id FROM owners WHERE app = ? AND epoch = ?
