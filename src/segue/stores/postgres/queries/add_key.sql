-- Keeps an API key. Locks: its row; ids are drawn at random, and one that is taken is refused by the primary key.
INSERT INTO segue.api_keys (id, digest, owner, label, namespace, permissions, created_at, expires_at)
VALUES (?1::text, ?2::text, ?3::text, ?4::text, ?5::text, ?6::text, ?7::bigint, ?8::bigint)
