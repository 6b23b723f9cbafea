-- Whether this very event stands in its place in a journal. Locks: nothing, reads the last committed state.
SELECT 1 FROM segue.journal WHERE run = ?::bigint AND seq = ?::integer AND event = ?::bytea
