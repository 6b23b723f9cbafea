-- Gives an app back, so that a successor knows that nothing was left half done; and voids the fence. Locks: the
-- transaction holds the file's only write lock.
UPDATE owners SET worker = '', epoch = epoch + 1 WHERE app = ? AND epoch = ?
