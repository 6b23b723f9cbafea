-- Writes password and roles of an account that has those that were read before; no row comes back otherwise. Locks: the
-- row, and looks at it once it is locked, so of two changes of the same account the later one has seen the earlier.
UPDATE segue_users SET password = ?2, roles = ?3 WHERE name = ?1 AND password = ?4 AND roles = ?5
RETURNING name
