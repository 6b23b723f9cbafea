-- Pauses a step, or says that it goes on, by (app, namespace, step, state, time, by, reason). Locks: its row.
INSERT INTO segue.held_steps (app, namespace, step, state, at, by, reason)
VALUES (?::text, ?::text, ?::text, ?::text, ?::bigint, ?::text, ?::text)
ON CONFLICT (app, namespace, step) DO UPDATE SET
    state = excluded.state, at = excluded.at, by = excluded.by, reason = excluded.reason
