-- The table of the step logs' own file. Locks: that file's write lock, once when it is opened; two processes at once
-- are safe because the second one finds the table.
CREATE TABLE IF NOT EXISTS lines (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL,
    key TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    level TEXT NOT NULL,
    stream TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS lines_by_run ON lines (run);
