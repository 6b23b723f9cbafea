-- Takes tasks back by (run, key, time). Locks: rows of runs that the batch's fence covers, which nobody else writes. A
-- task completed a moment before stays completed.
UPDATE segue.tasks SET state = 'withdrawn', closed_at = withdrawn.at
FROM unnest(?::bigint[], ?::text[], ?::bigint[]) AS withdrawn (run, key, at)
WHERE tasks.run = withdrawn.run AND tasks.key = withdrawn.key AND tasks.state = 'open'
