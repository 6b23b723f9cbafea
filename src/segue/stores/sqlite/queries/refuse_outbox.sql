-- Says of a row of the outbox why it cannot become a run. Locks: the batch holds the file's only write lock.
UPDATE segue_outbox SET error = ?2 WHERE row = ?1
