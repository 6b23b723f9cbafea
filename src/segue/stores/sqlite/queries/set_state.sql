-- Sets keyed state by (namespace, scope, key, value). Locks: the batch holds the file's only write lock.
INSERT INTO state (namespace, scope, key, value)
SELECT column1, column2, column3, column4 FROM (VALUES (?, ?, ?, ?)) WHERE column1 IS NOT NULL
ON CONFLICT (namespace, scope, key) DO UPDATE SET value = excluded.value
