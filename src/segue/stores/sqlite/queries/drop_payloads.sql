-- Of the values given (JSON list), drops those that no run refers to. Locks: the transaction holds the file's only
-- write lock, so nobody begins to refer to one between the look and the deletion.
DELETE FROM payloads
WHERE ref IN (SELECT value FROM json_each(?))
    AND NOT EXISTS (SELECT 1 FROM payload_refs WHERE payload_refs.ref = payloads.ref)
