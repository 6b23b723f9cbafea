-- Erases the search attributes of a run. Locks: rows of closed runs, which nobody writes any more.
DELETE FROM segue.attributes WHERE run = ?::bigint
