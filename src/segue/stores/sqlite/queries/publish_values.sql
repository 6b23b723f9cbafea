-- Sets values that readers may see, by (run, name, JSON). Locks: the batch holds the file's only write lock.
INSERT INTO published (run, name, value)
SELECT column1, column2, column3 FROM (VALUES (?, ?, ?)) WHERE column1 IS NOT NULL
ON CONFLICT (run, name) DO UPDATE SET value = excluded.value
