-- Takes the backfills of a deleted schedule away. Locks: the batch holds the file's only write lock; whoever has read one
-- of them finds it gone when writing.
DELETE FROM schedules WHERE namespace = ?1 AND name = ?2 AND backfill <> ''
