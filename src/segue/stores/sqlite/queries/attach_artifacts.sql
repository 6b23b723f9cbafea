-- Keeps artifacts with their runs, by (run, name, JSON); one of the same name is replaced. Locks: the batch holds the file's
-- only write lock.
INSERT INTO artifacts (run, name, value)
SELECT column1, column2, column3 FROM (VALUES (?, ?, ?)) WHERE column1 IS NOT NULL
ON CONFLICT (run, name) DO UPDATE SET value = excluded.value
