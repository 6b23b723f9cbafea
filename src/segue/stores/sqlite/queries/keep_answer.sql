-- Keeps the answer to a request that was carried out. Locks: the row of its key, which only this request has.
UPDATE segue_answers SET status = ?4, body = ?5 WHERE namespace = ?1 AND actor = ?2 AND key = ?3
