-- Makes an account, unless the name or the subject is taken; no row comes back then. Locks: the row of the name; of two
-- that make it one finds it made.
INSERT INTO segue_users (name, password, roles, subject, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT DO NOTHING
RETURNING name
