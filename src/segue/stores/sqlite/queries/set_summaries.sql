-- Says anew what runs are about, by (run, text). Locks: the batch holds the file's only write lock.
UPDATE runs SET summary = changed.column2
FROM (VALUES (?, ?)) AS changed
WHERE runs.run = changed.column1
