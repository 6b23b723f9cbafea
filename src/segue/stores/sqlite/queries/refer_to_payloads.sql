-- Counts the runs that refer to a value, by (run, ref). Locks: the batch holds the file's only write lock.
INSERT INTO payload_refs (run, ref)
SELECT column1, column2 FROM (VALUES (?, ?)) WHERE column1 IS NOT NULL
ON CONFLICT DO NOTHING
