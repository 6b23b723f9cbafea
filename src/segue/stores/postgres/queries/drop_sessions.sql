-- Drops sessions that have expired. Locks: their rows; nobody can use them any more.
DELETE FROM segue.sessions WHERE expires_at <= ?1::bigint
