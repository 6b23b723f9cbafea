-- Number of runs by state, from an index alone. Locks: nothing, reads the last committed state.
SELECT state, count(*) FROM segue.runs GROUP BY state
