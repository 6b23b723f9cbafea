-- Values are on their way to these places (JSON list), since a time. Locks: the transaction holds the file's only write
-- lock.
INSERT INTO leftovers (place, since) SELECT value, ?2 FROM json_each(?1)
