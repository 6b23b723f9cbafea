-- The words that are kept of runs (JSON list of numbers). Locks: reads under the batch's own write lock.
SELECT run, word FROM words WHERE run IN (SELECT value FROM json_each(?))
