-- Erases the artifacts of a run. Locks: rows of closed runs, which nobody writes any more.
DELETE FROM segue.artifacts WHERE run = ?::bigint
