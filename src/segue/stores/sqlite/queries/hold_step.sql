-- Pauses a step, or says that it goes on, by (app, namespace, step, state, time, by, reason). Locks: the batch holds the
-- file's only write lock.
INSERT INTO held_steps (app, namespace, step, state, at, by, reason) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (app, namespace, step) DO UPDATE SET
    state = excluded.state, at = excluded.at, by = excluded.by, reason = excluded.reason
