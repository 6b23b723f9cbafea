-- Whether this very event stands in its place in a journal. Locks: reads the last committed state.
SELECT 1 FROM journal WHERE run = ? AND seq = ? AND event = ?
