-- The number of the last event of each of these runs (JSON list), NULL where there is none. Locks: nothing, reads the last
-- committed state.
SELECT value, (SELECT max(seq) FROM journal WHERE run = value) FROM json_each(?)
