-- A page of a run's journal. Locks: nothing, reads the last committed state. Pages may be of different moments: a
-- journal only grows.
SELECT seq, event FROM segue.journal WHERE run = ?::bigint AND seq > ?::bigint ORDER BY seq LIMIT ?::bigint
