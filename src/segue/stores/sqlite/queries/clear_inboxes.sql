-- Removes what is left for runs that closed. Locks: the batch holds the file's only write lock, so no message comes in
-- between the check for unseen ones and this.
DELETE FROM inbox WHERE run IN (VALUES (?))
