-- The values whose bytes are elsewhere, by the URL under which they are: how many, and how many bytes. Behind that URL stand a
-- folder and a name. Locks: nothing, reads the last committed state.
SELECT regexp_replace(place, '/[^/]*/[^/]*$', '') AS base, count(*), sum(size)::bigint
FROM segue.payloads WHERE place IS NOT NULL
GROUP BY base ORDER BY base
