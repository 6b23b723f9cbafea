-- Keeps a session. Locks: its row; what it is the digest of is drawn at random.
INSERT INTO segue.sessions (digest, owner, created_at, expires_at) VALUES (?1::text, ?2::text, ?3::bigint, ?4::bigint)
