-- Ends all sessions of an account. Locks: their rows.
DELETE FROM segue.sessions WHERE owner = ?1::text
