-- A worker goes on with its lease (seconds, app, epoch); no row when it has been thrown out. Locks: its row.
UPDATE segue.owners SET expires = clock_timestamp() + make_interval(secs => ?::double precision)
WHERE app = ?::text AND epoch = ?::bigint
RETURNING epoch
