-- Removes what has become a run. Locks: the batch holds the file's only write lock; the run is on disk already, and has
-- the row's uid, so that a row which is found once more becomes no second one.
DELETE FROM segue_outbox WHERE row IN (VALUES (?))
