-- The last events of a run, newest first. Locks: nothing, reads the last committed state.
SELECT seq, event FROM journal WHERE run = ? ORDER BY seq DESC LIMIT ?
