-- Says anew what runs are about, by (run, text). Locks: rows of runs that the batch's fence covers, which nobody else
-- writes.
UPDATE segue.runs SET summary = changed.summary
FROM unnest(?::bigint[], ?::text[]) AS changed (run, summary)
WHERE runs.run = changed.run
