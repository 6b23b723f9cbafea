-- An app that has a worker for the first time. Locks: the new row; of two that make it the second waits and finds it made.
INSERT INTO segue.apps (app) VALUES (?::text) ON CONFLICT DO NOTHING
