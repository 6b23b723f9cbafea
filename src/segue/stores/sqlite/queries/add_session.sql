-- Keeps a session. Locks: its row; what it is the digest of is drawn at random.
INSERT INTO segue_sessions (digest, owner, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)
