-- Of the values given (JSON list), drops those that no run refers to. Locks: their rows, which are locked already
-- (lock_payloads).
DELETE FROM segue.payloads
WHERE ref = ANY (ARRAY(SELECT json_array_elements_text(?::json)))
    AND NOT EXISTS (SELECT 1 FROM segue.payload_refs WHERE payload_refs.ref = payloads.ref)
