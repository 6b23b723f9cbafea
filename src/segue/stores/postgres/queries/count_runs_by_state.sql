-- Number of a namespace's runs by state, from an index alone. Locks: nothing, reads the last committed state.
SELECT state, count(*) FROM segue.runs WHERE namespace = ?::text GROUP BY state
