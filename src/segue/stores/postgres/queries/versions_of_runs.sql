-- The workflow and version of each of these runs. Locks: nothing, reads the last committed state.
SELECT run, workflow, version FROM segue.runs WHERE run = ANY (?::bigint[])
