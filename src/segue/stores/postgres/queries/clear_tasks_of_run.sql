-- Erases what a run's tasks were about and what was answered. Locks: rows of closed runs, which nobody writes any more.
UPDATE segue.tasks SET form = NULL, subject = NULL, outcome = NULL WHERE run = ?::bigint
