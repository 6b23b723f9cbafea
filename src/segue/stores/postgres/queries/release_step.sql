-- A step goes on and every run that waited for it was told, unless it was paused again (app, namespace, step). Locks:
-- its row.
DELETE FROM segue.held_steps WHERE app = ?::text AND namespace = ?::text AND step = ?::text AND state = 'resuming'
