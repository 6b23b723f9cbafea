-- One account. Locks: nothing, reads the last committed state.
SELECT name, password, roles, subject, created_at FROM segue_users WHERE name = ?1
