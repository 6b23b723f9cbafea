-- Forgets where results of a step stand, for one key if one is given. Locks: their rows; a step that is under way
-- writes its own result anew.
DELETE FROM segue.cached WHERE namespace = ?1::text AND step = ?2::text AND (?3::text IS NULL OR key = ?3::text)
