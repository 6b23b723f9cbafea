-- Number of a namespace's open human tasks, of those past their time, and of those that somebody has claimed, each as far
-- as a limit, by indexes. Locks: nothing, reads the last committed state.
SELECT
    (SELECT count(*) FROM (
        SELECT 1 FROM segue.tasks WHERE namespace = ?1::text AND state = 'open' LIMIT ?4::bigint
    ) AS open),
    (SELECT count(*) FROM (
        SELECT 1 FROM segue.tasks WHERE namespace = ?1::text AND state = 'open' AND turn < ?2::bigint
        LIMIT ?4::bigint
    ) AS late),
    (SELECT count(*) FROM (
        SELECT 1 FROM segue.tasks WHERE namespace = ?1::text AND claimed_by = ?3::text AND state = 'open'
        LIMIT ?4::bigint
    ) AS theirs)
