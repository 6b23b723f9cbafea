-- Keeps the answer to a request that was carried out. Locks: the row of its key, which only this request has.
UPDATE segue.answers SET status = ?4::integer, body = ?5::bytea
WHERE namespace = ?1::text AND actor = ?2::text AND key = ?3::text
