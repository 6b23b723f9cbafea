-- How far runs have come: the last one, and the first one that is there of the range in which it is, with the time (µs)
-- at which that one started. Of the ranges their first runs are given. Locks: nothing, reads the last committed state.
SELECT last, run, started_at
FROM (SELECT max(run) AS last FROM segue.runs) AS newest
CROSS JOIN LATERAL (
    SELECT run, started_at FROM segue.runs
    WHERE run >= (SELECT max(low) FROM unnest(?::bigint[]) AS given (low) WHERE low <= last)
    ORDER BY run LIMIT 1
) AS earliest
