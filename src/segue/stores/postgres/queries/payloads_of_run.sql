-- The large values that a run refers to. Locks: nothing, reads the last committed state.
SELECT ref FROM segue.payload_refs WHERE run = ?::bigint ORDER BY ref
