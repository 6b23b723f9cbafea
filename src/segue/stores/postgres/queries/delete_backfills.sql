-- Takes the backfills of a deleted schedule away. Locks: their rows; whoever has read one of them finds it gone when
-- writing.
DELETE FROM segue.schedules WHERE namespace = ?1::text AND name = ?2::text AND backfill <> ''
