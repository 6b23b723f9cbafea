-- Puts an event with its personal data erased in the place of the one that had it. Locks: rows of closed runs, which
-- nobody writes any more.
UPDATE segue.journal SET event = ?::bytea WHERE run = ?::bigint AND seq = ?::integer
