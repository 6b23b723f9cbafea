-- Erases the cached results of a run. Locks: rows of closed runs, which nobody writes any more.
DELETE FROM segue.cached WHERE run = ?::bigint
