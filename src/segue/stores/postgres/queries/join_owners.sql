-- A worker joins the owners of an app, with a new epoch and a lease (seconds). Locks: the new row.
-- The epoch is the time in µs, with the last digit of a count of all that have joined in the place of its own. The count
-- alone goes back when a backup is restored, and a worker that had joined after the backup was made would share its fence
-- with a new one.
INSERT INTO segue.owners (app, epoch, worker, serves, lease, expires)
VALUES (
    ?1::text, floor(extract(epoch FROM clock_timestamp()) * 100000)::bigint * 10 + nextval('segue.epochs') % 10,
    ?2::text, ?3::text, ?4::double precision, clock_timestamp() + make_interval(secs => ?4::double precision)
)
RETURNING epoch
