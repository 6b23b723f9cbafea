-- Drops sessions that have expired. Locks: their rows; nobody can use them any more.
DELETE FROM segue_sessions WHERE expires_at <= ?1
