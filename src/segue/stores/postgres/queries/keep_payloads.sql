-- Keeps large values under their content addresses, each once. Locks: new rows, in order; what stands under an address
-- already is the same bytes.
INSERT INTO segue.payloads (ref, data)
SELECT DISTINCT ON (ref) ref, data FROM unnest(?::text[], ?::bytea[]) AS given (ref, data) ORDER BY ref
ON CONFLICT (ref) DO NOTHING
