-- Writes password and roles of an account; no row comes back if there is none. Locks: the row. The later of two changes
-- counts, as a whole.
UPDATE segue_users SET password = ?2, roles = ?3 WHERE name = ?1
RETURNING name
