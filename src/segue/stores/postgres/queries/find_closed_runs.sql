-- Of the runs given (a list of numbers, JSON), those that are closed. Locks: the rows of all of them, FOR KEY
-- SHARE, in order: one that is open stays open until COMMIT, because whoever closes it takes FOR UPDATE.
WITH asked AS MATERIALIZED (
    SELECT run, closed_at FROM segue.runs
    WHERE run = ANY (ARRAY(SELECT json_array_elements_text(?::json)::bigint))
    ORDER BY run FOR KEY SHARE
)
SELECT run FROM asked WHERE closed_at IS NOT NULL
