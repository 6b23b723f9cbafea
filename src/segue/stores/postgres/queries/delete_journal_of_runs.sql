-- Deletes some of the events of runs that are past their time (JSON list). Locks: rows of closed runs, which nobody
-- writes any more.
DELETE FROM segue.journal WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM segue.journal
    WHERE run = ANY (ARRAY(SELECT json_array_elements_text(?1::json)::bigint)) LIMIT ?2::bigint
))
