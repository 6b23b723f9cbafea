-- Of the runs given (a list of numbers, JSON), those that are closed. Locks: reads under the batch's own write lock.
SELECT run FROM runs WHERE run IN (SELECT value FROM json_each(?)) AND closed_at IS NOT NULL
