-- Adds the terminating event at the end of a run's journal, wherever that is: its owner, who may be about to write the
-- same place, finds the journal changed and loses the run. Locks: the batch holds the file's only write lock.
INSERT INTO journal (run, seq, event)
SELECT ?1, coalesce(max(seq), 0) + 1, ?2 FROM journal WHERE run = ?1
