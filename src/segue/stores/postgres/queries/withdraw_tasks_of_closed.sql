-- Nobody is asked for what no longer counts: takes back the open tasks of runs that closed (run, time). Locks: rows of
-- runs that the batch's fence covers, which nobody else writes. A task completed a moment before stays completed.
UPDATE segue.tasks SET state = 'withdrawn', closed_at = closed.at
FROM unnest(?::bigint[], ?::bigint[]) AS closed (run, at)
WHERE tasks.run = closed.run AND tasks.state = 'open'
