-- Number of a namespace's open human tasks, of those past their time, and of those that somebody has claimed, each as far
-- as a limit, by indexes. Locks: nothing, reads the last committed state.
SELECT
    (SELECT count(*) FROM (
        SELECT 1 FROM tasks WHERE namespace = ?1 AND state = 'open' LIMIT ?4
    ) AS open),
    (SELECT count(*) FROM (
        SELECT 1 FROM tasks WHERE namespace = ?1 AND state = 'open' AND turn < ?2
        LIMIT ?4
    ) AS late),
    (SELECT count(*) FROM (
        SELECT 1 FROM tasks WHERE namespace = ?1 AND claimed_by = ?3 AND state = 'open'
        LIMIT ?4
    ) AS theirs)
