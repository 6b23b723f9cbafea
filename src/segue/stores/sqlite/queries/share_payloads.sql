-- The next run of a chain refers to the large values that the one before refers to, because messages that were passed on
-- may hold some. Locks: the batch holds the file's only write lock.
INSERT INTO payload_refs (run, ref) SELECT ?2, ref FROM payload_refs WHERE run = ?1
ON CONFLICT DO NOTHING
