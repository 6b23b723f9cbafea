-- Keeps large values under their content addresses, each once. Locks: the batch holds the file's only write lock; what
-- stands under an address already is the same bytes.
INSERT INTO payloads (ref, data)
SELECT column1, column2 FROM (VALUES (?, ?)) WHERE column1 IS NOT NULL
ON CONFLICT (ref) DO NOTHING
