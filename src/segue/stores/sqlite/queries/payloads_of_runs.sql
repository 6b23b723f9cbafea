-- The large values that runs (JSON list) refer to. Locks: reads under the transaction's own write lock.
SELECT DISTINCT ref FROM payload_refs WHERE run IN (SELECT value FROM json_each(?))
