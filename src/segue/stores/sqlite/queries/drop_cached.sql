-- Forgets where results of a step stand, for one key if one is given. Locks: the transaction holds the file's only write
-- lock; a step that is under way writes its own result anew.
DELETE FROM cached WHERE namespace = ?1 AND step = ?2 AND (?3 IS NULL OR key = ?3)
