-- Keeps words of runs by (namespace, word, run). Locks: new rows of runs that the batch's fence covers or begins, which
-- nobody else writes.
INSERT INTO segue.words (namespace, word, run)
SELECT * FROM unnest(?::text[], ?::text[], ?::bigint[])
ON CONFLICT DO NOTHING
