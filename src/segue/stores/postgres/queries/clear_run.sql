-- Erases what a run's row says in its own words. Locks: rows of closed runs, which nobody writes any more.
UPDATE segue.runs SET error = NULL, timer = NULL, awaits = NULL, summary = '', tags = '{}', input_hash = '' WHERE run = ?::bigint
