-- A worker goes on with its lease (seconds, app, epoch, until when it knows its lease to last); no row when it has been
-- thrown out, or when the database has forgotten what it had promised: a backup was restored, or a standby that lagged
-- behind is the server now. Then the worker knows more of its runs than their journals. Locks: its row.
UPDATE segue.owners SET expires = clock_timestamp() + make_interval(secs => ?1::double precision)
WHERE app = ?2::text AND epoch = ?3::bigint AND (?4::timestamptz IS NULL OR expires >= ?4::timestamptz)
RETURNING expires
