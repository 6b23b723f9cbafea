-- A value is on its way to a place. Locks: a new row, of a name that nobody else knows.
INSERT INTO segue.leftovers (place, since) VALUES (?::text, ?::bigint)
