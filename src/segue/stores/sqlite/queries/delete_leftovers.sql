-- Nothing is at these places (JSON list) any more, or a value is. Locks: the transaction holds the file's only write lock.
DELETE FROM leftovers WHERE place IN (SELECT value FROM json_each(?))
