-- A page of a run's journal. Locks: nothing, reads the last committed state. Pages may be of
-- different moments: a journal only grows.
SELECT seq, event FROM journal WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?
