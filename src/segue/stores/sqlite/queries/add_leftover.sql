-- A value is on its way to a place. Locks: the transaction holds the file's only write lock.
INSERT INTO leftovers (place, since) VALUES (?, ?)
