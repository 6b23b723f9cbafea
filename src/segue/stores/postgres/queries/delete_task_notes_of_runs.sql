-- Deletes what people said about the tasks of runs that are past their time (JSON list). Locks: rows of closed runs, to
-- whose tasks nobody adds anything.
DELETE FROM segue.task_notes WHERE run = ANY (ARRAY(SELECT json_array_elements_text(?::json)::bigint))
