-- Runs that ended from ?2 and before ?3, at most the ?6 last of them, counted by bar of ?1 µs, state and how long they
-- took: eight classes to each doubling, with the shortest and the longest of each. The index of ends holds every
-- column. Locks: nothing, reads the last committed state.
SELECT
    state, floor(8 * ln(greatest(closed_at - started_at, 1)) / ln(2))::integer AS size,
    count(*), min(closed_at - started_at), max(closed_at - started_at), min(started_at), closed_at / ?1::bigint AS bar
FROM (
    SELECT closed_at, workflow, version, state, started_at FROM segue.runs
    WHERE closed_at >= ?2::bigint AND closed_at < ?3::bigint AND namespace = ?4::text
        AND (?5::text IS NULL OR workflow = ?5::text) AND state <> 'continued'
    ORDER BY closed_at DESC LIMIT ?6::bigint
) AS ended
GROUP BY bar, state, size
