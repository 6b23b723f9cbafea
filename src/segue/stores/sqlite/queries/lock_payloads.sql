-- Of the values given (JSON list), finds those that may be dropped. Locks: nothing beside the transaction, which excludes
-- all other writers anyway.
SELECT 1 FROM payloads WHERE ref IN (SELECT value FROM json_each(?))
