-- Keeps lines that steps printed. Locks: the write lock of the step logs' own file, never the journal's.
INSERT INTO lines (run, key, attempt, at, level, stream, text)
SELECT column1, column2, column3, column4, column5, column6, column7
FROM (VALUES (?, ?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL
