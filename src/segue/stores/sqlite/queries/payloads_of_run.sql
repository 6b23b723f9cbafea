-- The large values that a run refers to. Locks: nothing, reads the last committed state.
SELECT ref FROM payload_refs WHERE run = ? ORDER BY ref
