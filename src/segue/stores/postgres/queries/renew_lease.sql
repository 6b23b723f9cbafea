-- A worker goes on with its lease (seconds, app, epoch, how often it knows to have done so, the last batch that it knows
-- to be in); no row when it has been thrown out, or when the database has forgotten what it had acknowledged (see
-- fence.sql). What is compared are counts: the server's clock may be set back. Locks: its row, before it looks at the
-- clock: a commit of the worker's own may hold it for long, and the lease lasts from then on.
WITH own AS MATERIALIZED (
    SELECT app, epoch FROM segue.owners WHERE app = ?2::text AND epoch = ?3::bigint FOR NO KEY UPDATE
)
UPDATE segue.owners
SET expires = clock_timestamp() + make_interval(secs => ?1::double precision), lease = ?1::double precision,
    renewals = renewals + 1
FROM own
WHERE owners.app = own.app AND owners.epoch = own.epoch AND renewals >= ?4::bigint AND commit_id >= ?5::bigint
RETURNING renewals
