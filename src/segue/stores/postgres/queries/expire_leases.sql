-- Throws out workers whose lease has run out. Locks: their rows. One whose commit has passed its fence is left for the
-- next time: it is not dead, and whoever waited for its commit here would keep all others from going on with their
-- leases.
DELETE FROM segue.owners WHERE (app, epoch) IN (
    SELECT app, epoch FROM segue.owners WHERE app = ?::text AND expires < clock_timestamp()
    FOR UPDATE SKIP LOCKED
)
RETURNING epoch
