-- The values whose bytes are elsewhere, by the URL under which they are: how many, and how many bytes. Behind that URL stand a
-- folder and a name, which rtrim takes away as what is no slash. Locks: nothing, reads the last committed state.
SELECT substr(folder, 1, length(folder) - 1) AS base, count(*), sum(size)
FROM (
    SELECT rtrim(rtrim(rtrim(place, replace(place, '/', '')), '/'), replace(place, '/', '')) AS folder, size
    FROM payloads WHERE place IS NOT NULL
)
GROUP BY folder ORDER BY base
