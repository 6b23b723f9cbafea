-- Appends an event behind the last one of a closed run. Locks: rows of closed runs, which nobody writes any more.
INSERT INTO segue.journal (run, seq, event)
SELECT run, max(seq) + 1, ?2::bytea FROM segue.journal WHERE run = ?1::bigint GROUP BY run
