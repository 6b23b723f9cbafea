-- All accounts. Locks: nothing, reads the last committed state.
SELECT name, password, roles, subject, created_at FROM segue.users ORDER BY name
