-- Removes messages that became events, by row. Locks: the batch holds the file's only write lock, and writes the
-- events.
DELETE FROM inbox WHERE row IN (VALUES (?))
