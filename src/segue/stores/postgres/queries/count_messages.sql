-- Number of messages that wait for runs of an app, as far as a limit, and when the first of them came; the inbox holds
-- only what waits, in the order in which it came, so each of its runs is looked up (OFFSET keeps the planner from reading
-- all runs instead). Locks: nothing, reads the last committed state.
SELECT count(*), min(at) FROM (
    SELECT inbox.at FROM segue.inbox
    CROSS JOIN LATERAL (SELECT app FROM segue.runs WHERE runs.run = inbox.run OFFSET 0) AS addressed
    WHERE app = ?1::text ORDER BY inbox.row LIMIT ?2::bigint
) AS waiting
