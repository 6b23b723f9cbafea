-- The values that a run refers to and whose bytes are elsewhere, each looked up by its address: joined, all that are
-- elsewhere might be read. Locks: nothing, reads the last committed state.
SELECT ref, place FROM (
    SELECT ref, (SELECT payloads.place FROM segue.payloads WHERE payloads.ref = payload_refs.ref) AS place
    FROM segue.payload_refs WHERE run = ?::bigint
) AS referred
WHERE place IS NOT NULL
