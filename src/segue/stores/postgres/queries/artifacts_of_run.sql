-- The artifacts of a run, in the order in which their names came. Locks: nothing, reads the last committed state.
SELECT name, value FROM segue.artifacts WHERE run = ?::bigint ORDER BY id
