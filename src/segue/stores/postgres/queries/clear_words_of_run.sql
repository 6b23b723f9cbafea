-- Erases the words by which a run is found. Locks: rows of a closed run, which nobody writes any more; the run was
-- locked when it was seen to be closed.
DELETE FROM segue.words WHERE run = ?::bigint
