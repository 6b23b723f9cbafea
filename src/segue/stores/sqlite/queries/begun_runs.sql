-- Runs of an app that are in their owner's memory with something under way (a wake time up to the second value, which
-- stands for that), of certain workflows if they are given (JSON list), oldest first, through the partial index. Locks:
-- nothing, reads the last committed state.
SELECT run FROM runs
WHERE app = ?1 AND wake <= ?2 AND (?3 IS NULL OR workflow IN (SELECT value FROM json_each(?3)))
ORDER BY run
