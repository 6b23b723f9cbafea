-- Number of messages that wait for runs of an app, as far as a limit, and when the first of them came; the inbox holds
-- only what waits, in the order in which it came. Locks: nothing, reads the last committed state.
SELECT count(*), min(at) FROM (
    SELECT inbox.at FROM inbox JOIN runs ON runs.run = inbox.run WHERE runs.app = ?1 ORDER BY inbox.row LIMIT ?2
)
