-- Says what the owner of an app serves (JSON: see sql/serving.py). Locks: the transaction holds the file's only write
-- lock; the epoch keeps a predecessor from speaking for its successor.
UPDATE owners SET serves = ? WHERE app = ? AND epoch = ?
