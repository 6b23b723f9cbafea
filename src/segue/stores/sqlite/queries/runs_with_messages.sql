-- Runs of an app with waiting messages, of certain workflows if they are given (JSON list), longest waiting first; the
-- inbox holds only what waits. Locks: nothing, reads the last committed state.
SELECT inbox.run FROM inbox JOIN runs ON runs.run = inbox.run
WHERE runs.app = ?1 AND (?2 IS NULL OR runs.workflow IN (SELECT value FROM json_each(?2)))
GROUP BY inbox.run ORDER BY min(inbox.row) LIMIT ?3
