-- The last epoch of every app. Locks: nothing, reads the last committed state.
SELECT app, epoch FROM owners
