-- Runs that closed before a time, longest ago first; never the newest of all, after which run numbers go on. Locks:
-- reads under the transaction's own write lock, so none of them changes before it is deleted.
SELECT run FROM runs
WHERE closed_at < ?1 AND state IN (SELECT value FROM json_each(?2)) AND (?3 IS NULL OR workflow = ?3)
    AND run < (SELECT max(run) FROM runs)
ORDER BY closed_at LIMIT ?4
