-- Has leases of an app end in time that the server has promised by a clock which was set back since: a lease lasts from
-- now at most. Whoever lives goes on with it by itself; whoever is dead does not count as alive for as long as the clock
-- went back. Locks: their rows, but for those with a commit under way, whose workers live.
UPDATE segue.owners SET expires = clock_timestamp() + make_interval(secs => lease)
WHERE (app, epoch) IN (
    SELECT app, epoch FROM segue.owners
    WHERE app = ?::text AND expires > clock_timestamp() + make_interval(secs => lease)
    FOR UPDATE SKIP LOCKED
)
