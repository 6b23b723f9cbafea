-- Writes password and roles of an account that has those that were read before; no row comes back otherwise. Locks: the
-- row, and looks at it once it is locked, so of two changes of the same account the later one has seen the earlier.
UPDATE segue.users SET password = ?2::text, roles = ?3::text WHERE name = ?1::text AND password = ?4::text AND roles = ?5::text
RETURNING name
