-- Sets search attributes by (run, name, JSON). Locks: the batch holds the file's only write lock.
INSERT INTO attributes (run, name, value)
SELECT column1, column2, column3 FROM (VALUES (?, ?, ?)) WHERE column1 IS NOT NULL
ON CONFLICT (run, name) DO UPDATE SET value = excluded.value
