-- All slots of a new app, which nobody owns. Locks: the new row; of two that make it the second waits and finds it made.
INSERT INTO segue.slots (app, low, high) VALUES (?::text, 0, 16383) ON CONFLICT DO NOTHING
