-- Who owns runs of an app, longest first, and whether it is silent; since when in µs. Locks: nothing, reads the last
-- committed state.
SELECT epoch, expires < clock_timestamp(), serves, pins, worker, (extract(epoch FROM since) * 1000000)::bigint
FROM segue.owners WHERE app = ?::text ORDER BY epoch
