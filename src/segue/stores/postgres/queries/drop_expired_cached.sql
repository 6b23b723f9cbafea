-- Forgets some results whose time was over then. Whoever keeps new ones does it, so that their number stays bounded.
-- Locks: rows that nobody else holds; the others are left for the next time.
DELETE FROM segue.cached WHERE id IN (
    SELECT id FROM segue.cached WHERE expires <= ?1::bigint ORDER BY expires LIMIT 20 FOR UPDATE SKIP LOCKED
)
