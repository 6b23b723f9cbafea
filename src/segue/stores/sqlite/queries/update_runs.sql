-- New states of runs, many in one statement. Locks: the batch holds the file's only write lock.
UPDATE runs SET
    state = changed.column2, wake = changed.column3, changed_at = changed.column4, closed_at = changed.column5,
    error = changed.column6, timer = changed.column7, awaits = changed.column8
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?)) AS changed
WHERE runs.run = changed.column1
