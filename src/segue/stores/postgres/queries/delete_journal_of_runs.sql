-- Deletes some of the events of runs that are past their time (JSON list); behind what the other dialect takes come the
-- first and the last of these runs. Locks: rows of closed runs, which nobody writes any more.
DELETE FROM segue.journal USING (
    SELECT run, seq FROM segue.journal
    WHERE run = ANY (ARRAY(SELECT json_array_elements_text(?1::json)::bigint)) AND run BETWEEN ?3::bigint AND ?4::bigint
    LIMIT ?2::bigint
) AS doomed
WHERE journal.run = doomed.run AND journal.seq = doomed.seq AND journal.run BETWEEN ?3::bigint AND ?4::bigint
