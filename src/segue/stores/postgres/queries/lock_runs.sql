-- Locks the rows of runs that are about to close, in the order of their numbers: whoever posts to them shares such a
-- lock first, so that what was posted is seen by the statements that follow, or finds the run closed.
SELECT run FROM segue.runs WHERE run = ANY (?::bigint[]) ORDER BY run FOR UPDATE
