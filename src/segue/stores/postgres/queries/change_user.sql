-- Writes password and roles of an account; no row comes back if there is none. Locks: the row. The later of two changes
-- counts, as a whole.
UPDATE segue.users SET password = ?2::text, roles = ?3::text WHERE name = ?1::text
RETURNING name
