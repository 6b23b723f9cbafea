-- Takes back a run's references to values (JSON list). Locks: the transaction holds the file's only write lock.
DELETE FROM payload_refs WHERE run = ? AND ref IN (SELECT value FROM json_each(?))
