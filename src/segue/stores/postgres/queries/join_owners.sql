-- A worker joins the owners of an app, with a new epoch and a lease (seconds). Locks: the new row.
INSERT INTO segue.owners (app, epoch, worker, serves, expires)
VALUES (
    ?::text, nextval('segue.epochs'), ?::text, ?::text, clock_timestamp() + make_interval(secs => ?::double precision)
)
RETURNING epoch
