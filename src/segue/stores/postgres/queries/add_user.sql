-- Makes an account, unless the name or the subject is taken; no row comes back then. Locks: the row of the name; of two
-- that make it one finds it made.
INSERT INTO segue.users (name, password, roles, subject, created_at) VALUES (
    ?1::text, ?2::text, ?3::text, ?4::text, ?5::bigint
)
ON CONFLICT DO NOTHING
RETURNING name
