-- The number of the last event of each of these runs (JSON list), NULL where there is none; behind what the other dialect
-- takes come the first and the last of these runs. Locks: nothing, reads the last committed state.
SELECT asked.run, (
    SELECT max(seq) FROM segue.journal
    WHERE journal.run = asked.run AND journal.run BETWEEN ?2::bigint AND ?3::bigint
)
FROM (SELECT json_array_elements_text(?1::json)::bigint AS run) AS asked
