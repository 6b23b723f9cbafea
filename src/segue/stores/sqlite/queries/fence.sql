-- Proves ownership and records the batch, as the first statement of its transaction: no row is changed when the epoch
-- was bumped by a successor. Locks: BEGIN IMMEDIATE holds the file's only write lock, so nobody can bump it until
-- COMMIT.
UPDATE owners SET commit_id = ? WHERE app = ? AND epoch = ?
