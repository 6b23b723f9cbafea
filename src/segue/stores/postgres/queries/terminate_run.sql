-- Adds the terminating event at the end of a run's journal, wherever that is: its owner, who may be about to write the
-- same place, finds the journal changed and loses the run. Locks: the new row; one of two who write the same place is
-- turned back by the journal's key, and comes again.
INSERT INTO segue.journal (run, seq, event)
SELECT ?1::bigint, coalesce(max(seq), 0) + 1, ?2::bytea FROM segue.journal WHERE run = ?1::bigint
