-- Of these places (JSON list), those that are announced and where nobody has begun to remove what is there. Locks: the
-- transaction holds the file's only write lock.
SELECT place FROM leftovers WHERE place IN (SELECT value FROM json_each(?)) AND since > 0
