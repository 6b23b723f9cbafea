-- Forgets some results whose time was over then. Whoever keeps new ones does it, so that their number stays bounded.
-- Locks: the batch holds the file's only write lock; who looked one up a moment ago has seen that it has expired.
DELETE FROM cached WHERE id IN (SELECT id FROM cached WHERE expires <= ?1 ORDER BY expires LIMIT 20)
