-- Appends an event behind the last one of a closed run. Locks: the transaction holds the file's only write lock, and has
-- seen that the run is closed.
INSERT INTO journal (run, seq, event) SELECT run, max(seq) + 1, ?2 FROM journal WHERE run = ?1
