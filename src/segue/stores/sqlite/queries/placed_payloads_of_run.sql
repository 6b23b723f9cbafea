-- The values that a run refers to and whose bytes are elsewhere. Locks: nothing, reads the last committed state.
SELECT payloads.ref, payloads.place
FROM payload_refs JOIN payloads ON payloads.ref = payload_refs.ref
WHERE payload_refs.run = ? AND payloads.place IS NOT NULL
