-- Ends the sessions in which workers of an app (first value) hold their own rows, whose leases ran out longer ago than so
-- many seconds. The server waits for the rest of their batch, without a limit while a batch is sent without waiting, and
-- will perhaps never get it: a network that swallows packets tells nobody. Locks: nothing; what those sessions have locked
-- becomes free a moment later, and their batches are void.
SELECT pg_terminate_backend(activity.pid)
FROM segue.owners JOIN pg_stat_activity AS activity ON activity.backend_xid = owners.xmax
WHERE owners.app = ?::text AND owners.expires < clock_timestamp() - make_interval(secs => ?::double precision)
    AND activity.usename = current_user AND activity.pid <> pg_backend_pid()
