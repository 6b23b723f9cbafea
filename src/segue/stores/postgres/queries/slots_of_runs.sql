-- Which slot each run is in. Locks: nothing, a run's slot never changes.
SELECT run, slot FROM segue.runs WHERE run = ANY (?::bigint[])
