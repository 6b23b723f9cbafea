-- Erases the published values of a run. Locks: rows of closed runs, which nobody writes any more.
DELETE FROM segue.published WHERE run = ?::bigint
