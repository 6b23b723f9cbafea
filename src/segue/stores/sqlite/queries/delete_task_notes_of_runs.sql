-- Deletes what people said about the tasks of runs that are past their time (JSON list). Locks: the transaction holds the
-- file's only write lock for a small batch of runs; their tasks are closed, so nobody adds anything meanwhile.
DELETE FROM task_notes WHERE run IN (SELECT value FROM json_each(?))
