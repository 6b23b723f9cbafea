-- What is at these places (JSON list) is about to be removed; those that a value has just got to are left out. Locks: the
-- transaction holds the file's only write lock.
UPDATE leftovers SET since = 0 WHERE place IN (SELECT value FROM json_each(?)) RETURNING place
