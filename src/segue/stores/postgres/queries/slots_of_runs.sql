-- Which slot each run is in. Locks: nothing; a run gets another slot only by the hand of the worker that owns
-- it (move_runs).
SELECT run, slot FROM segue.runs WHERE run = ANY (?::bigint[])
