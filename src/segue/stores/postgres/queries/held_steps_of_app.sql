-- Steps of an app that are paused, or resuming. Locks: nothing, reads the last committed state.
SELECT namespace, app, step, at, by, reason, state FROM segue.held_steps WHERE app = ?::text ORDER BY namespace, step
