-- Notes the places of those of the values given (JSON list) that are about to be dropped. Locks: new rows; the values are
-- locked already (lock_payloads).
INSERT INTO segue.leftovers (place, since)
SELECT place, 0 FROM segue.payloads
WHERE ref = ANY (ARRAY(SELECT json_array_elements_text(?::json))) AND place IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM segue.payload_refs WHERE payload_refs.ref = payloads.ref)
