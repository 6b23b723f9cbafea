-- Says where the result of a step stands for a key, by (namespace, step, key, run, seq, at, expires); the latest counts.
-- Locks: the batch holds the file's only write lock, and writes the result's event itself.
INSERT INTO cached (namespace, step, key, run, seq, at, expires)
SELECT column1, column2, column3, column4, column5, column6, column7
FROM (VALUES (?, ?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL
ON CONFLICT (namespace, step, key) DO UPDATE SET
    run = excluded.run, seq = excluded.seq, at = excluded.at, expires = excluded.expires
