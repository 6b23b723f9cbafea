-- What waits in the inbox of a run that goes on (its number, the next one's) goes to the next one, in order, behind what
-- was kept for it; but for answers to what only the run before has asked. The rows of the run before are removed with
-- its end. Locks: the batch holds the file's only write lock.
INSERT INTO inbox (run, kind, message, at, body)
SELECT ?2, kind, message, at, body FROM inbox
WHERE run = ?1 AND kind NOT IN ('child', 'task', 'step', 'outcome', 'resolve')
ORDER BY row
