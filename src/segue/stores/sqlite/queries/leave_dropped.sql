-- Notes the places of those of the values given (JSON list) that are about to be dropped. Locks: the transaction holds
-- the file's only write lock.
INSERT INTO leftovers (place, since)
SELECT place, 0 FROM payloads
WHERE ref IN (SELECT value FROM json_each(?)) AND place IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM payload_refs WHERE payload_refs.ref = payloads.ref)
