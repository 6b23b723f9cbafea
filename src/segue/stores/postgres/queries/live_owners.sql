-- Who owns runs of an app, longest first. Locks: nothing, reads the last committed state.
SELECT epoch, serves, pins, expires < clock_timestamp() FROM segue.owners WHERE app = ?::text ORDER BY epoch
