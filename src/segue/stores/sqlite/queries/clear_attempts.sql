-- Forgets the attempts of runs that closed. Locks: the batch holds the file's only write lock.
DELETE FROM attempts WHERE run IN (VALUES (?))
