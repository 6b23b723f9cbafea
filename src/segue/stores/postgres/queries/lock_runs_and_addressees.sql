-- Locks runs that are about to close (first value), and those that the same batch writes to (by row, or by namespace and
-- id), in the order of their numbers: in two statements, two batches that close each other's addressees would wait for
-- each other. Locks: rows of the former FOR UPDATE, as lock_runs does; rows of the latter FOR KEY SHARE, as
-- find_addressees does, which finds them locked. One that has gone on meanwhile is locked there.
SELECT each.run, closing.run, addressed.run
FROM (
    SELECT run, bool_or(closes) AS closes
    FROM (
        SELECT unnest(?1::bigint[]) AS run, true AS closes
        UNION ALL
        SELECT unnest(?2::bigint[]), false
        UNION ALL
        SELECT named.run, false
        FROM unnest(?3::text[], ?4::text[]) AS asked (space, name)
        JOIN segue.runs AS named ON named.namespace = space AND named.id = name AND named.superseded = 0
    ) AS given
    GROUP BY run ORDER BY run
) AS each
LEFT JOIN LATERAL (
    SELECT runs.run FROM segue.runs WHERE runs.run = each.run AND each.closes FOR UPDATE
) AS closing ON true
LEFT JOIN LATERAL (
    SELECT runs.run FROM segue.runs WHERE runs.run = each.run AND NOT each.closes FOR KEY SHARE
) AS addressed ON true
