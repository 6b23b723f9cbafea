-- Runs that ended from ?2 and before ?3, at most the ?6 last of them, counted by bar of ?1 µs, state and how long they
-- took: eight classes to each doubling, with the shortest and the longest of each. +namespace: by the index of ends and
-- no other, which holds every column. Locks: nothing, reads the last committed state.
SELECT
    state, cast(8 * log2(max(closed_at - started_at, 1)) AS INTEGER) AS size,
    count(*), min(closed_at - started_at), max(closed_at - started_at), min(started_at), closed_at / ?1 AS bar
FROM (
    SELECT closed_at, workflow, version, state, started_at FROM runs
    WHERE closed_at >= ?2 AND closed_at < ?3 AND +namespace = ?4
        AND (?5 IS NULL OR workflow = ?5) AND state <> 'continued'
    ORDER BY closed_at DESC LIMIT ?6
) AS ended
GROUP BY bar, state, size
