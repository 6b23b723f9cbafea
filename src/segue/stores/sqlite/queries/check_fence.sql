-- Proves ownership at the start of a transaction that is not a batch: no row when the epoch was bumped by a successor.
-- Locks: BEGIN IMMEDIATE holds the file's only write lock, so nobody can bump it until COMMIT.
SELECT 1 FROM owners WHERE app = ? AND epoch = ?
