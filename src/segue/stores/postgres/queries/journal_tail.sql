-- The last events of a run, newest first. Locks: nothing, reads the last committed state.
SELECT seq, event FROM segue.journal WHERE run = ?::bigint ORDER BY seq DESC LIMIT ?::bigint
