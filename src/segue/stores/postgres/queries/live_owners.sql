-- Who owns runs of an app, longest first; whether it is silent, and whether it has a lease that a clock gave which was
-- set back since; since when in µs. Locks: nothing, reads the last committed state.
SELECT
    epoch, expires < clock_timestamp(), expires > clock_timestamp() + make_interval(secs => lease), serves, pins, worker,
    (extract(epoch FROM since) * 1000000)::bigint
FROM segue.owners WHERE app = ?::text ORDER BY epoch
