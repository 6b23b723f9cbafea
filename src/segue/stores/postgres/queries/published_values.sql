-- What a run lets readers see. Locks: nothing, reads the last committed state.
SELECT name, value FROM segue.published WHERE run = ?::bigint
