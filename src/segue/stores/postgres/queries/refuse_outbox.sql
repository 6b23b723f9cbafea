-- Says of a row of the outbox why it cannot become a run. Locks: its row.
UPDATE segue.outbox SET error = ?2::text WHERE row = ?1::bigint
