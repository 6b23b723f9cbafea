-- The account of whoever logs in elsewhere. Locks: nothing, reads the last committed state.
SELECT name, password, roles, subject, created_at FROM segue.users WHERE subject = ?1::text
