-- What waits in the inbox of a run that goes on (its number, the next one's) goes to the next one, in order, behind
-- what was kept for it; but for answers to what only the run before has asked. The rows of the run before are removed
-- with its end. Locks: rows of runs that the batch's fence covers, which nobody else writes.
INSERT INTO segue.inbox (run, kind, message, at, body)
SELECT ?2::bigint, kind, message, at, body FROM segue.inbox
WHERE run = ?1::bigint AND kind NOT IN ('child', 'task', 'step', 'outcome', 'resolve')
ORDER BY row
