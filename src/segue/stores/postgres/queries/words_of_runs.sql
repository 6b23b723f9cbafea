-- The words that are kept of runs (JSON list of numbers). Locks: nothing; only the batch whose fence covers these runs
-- writes to them.
SELECT run, word FROM segue.words WHERE run = ANY (ARRAY(SELECT json_array_elements_text(?::json)::bigint))
