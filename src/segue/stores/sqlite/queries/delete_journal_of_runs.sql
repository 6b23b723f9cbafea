-- Deletes some of the events of runs that are past their time (JSON list). Locks: the transaction holds the file's only
-- write lock for as many events as the limit says; the runs are closed, so nobody writes to them meanwhile.
DELETE FROM journal WHERE id IN (
    SELECT id FROM journal WHERE run IN (SELECT value FROM json_each(?1)) LIMIT ?2
)
