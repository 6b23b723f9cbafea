-- A step goes on and every run that waited for it was told, unless it was paused again (app, namespace, step). Locks:
-- the batch holds the file's only write lock.
DELETE FROM held_steps WHERE app = ? AND namespace = ? AND step = ? AND state = 'resuming'
