-- New states of runs, many in one statement. Locks: rows of runs that the batch's fence covers, which nobody else
-- writes; those that close are locked before (lock_runs).
UPDATE segue.runs SET
    state = changed.state, wake = changed.wake, changed_at = changed.changed_at, closed_at = changed.closed_at,
    error = changed.error, timer = changed.timer, awaits = changed.awaits
FROM unnest(?::bigint[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[], ?::text[], ?::text[], ?::text[])
    AS changed (run, state, wake, changed_at, closed_at, error, timer, awaits)
WHERE runs.run = changed.run
