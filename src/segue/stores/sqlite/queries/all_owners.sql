-- Who owned which app last and has not given it back. Whether they are alive is for the lock files to say. Locks: nothing,
-- reads the last committed state.
SELECT app, epoch, worker, serves FROM owners WHERE worker <> '' ORDER BY app
