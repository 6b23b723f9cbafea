-- Runs that ended from ?2 and before ?3, at most the ?6 last of them, counted by workflow, version, state and how long
-- they took, as count_ended_by_bar has it; ?1 is the number that stands for no bar. +namespace: by the index of ends
-- and no other, which holds every column. Locks: nothing, reads the last committed state.
SELECT
    state, cast(8 * log2(max(closed_at - started_at, 1)) AS INTEGER) AS size,
    count(*), min(closed_at - started_at), max(closed_at - started_at), min(started_at), ?1, workflow, version
FROM (
    SELECT closed_at, workflow, version, state, started_at FROM runs
    WHERE closed_at >= ?2 AND closed_at < ?3 AND +namespace = ?4
        AND (?5 IS NULL OR workflow = ?5) AND state <> 'continued'
    ORDER BY closed_at DESC LIMIT ?6
) AS ended
GROUP BY workflow, version, state, size
