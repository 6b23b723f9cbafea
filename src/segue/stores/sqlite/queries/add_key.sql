-- Keeps an API key. Locks: its row; ids are drawn at random, and one that is taken is refused by the primary key.
INSERT INTO segue_keys (id, digest, owner, label, namespace, permissions, created_at, expires_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
