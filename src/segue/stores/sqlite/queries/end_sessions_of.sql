-- Ends all sessions of an account. Locks: their rows.
DELETE FROM segue_sessions WHERE owner = ?1
