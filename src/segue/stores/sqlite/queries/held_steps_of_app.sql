-- Steps of an app that are paused, or resuming. Locks: nothing, reads the last committed state.
SELECT namespace, app, step, at, by, reason, state FROM held_steps WHERE app = ? ORDER BY namespace, step
