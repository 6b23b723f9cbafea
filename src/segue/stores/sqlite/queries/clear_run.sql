-- Erases what a run's row says in its own words. Locks: the transaction holds the file's only write lock, and
-- has seen that the run is closed.
UPDATE runs SET error = NULL, timer = NULL, awaits = NULL, summary = '', tags = '{}', input_hash = '' WHERE run = ?
