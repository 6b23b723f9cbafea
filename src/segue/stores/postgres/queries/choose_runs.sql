-- Of the runs from one (included) to another (not included), those that conditions hold for, which are added behind the
-- last one, newest first. Locks: nothing, reads the last committed state.
SELECT runs.run FROM segue.runs
WHERE runs.run >= ?::bigint AND runs.run < ?::bigint AND true
ORDER BY runs.run DESC LIMIT ?::bigint
