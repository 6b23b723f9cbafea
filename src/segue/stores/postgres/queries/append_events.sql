-- Adds events at the end of journals. Locks: rows of runs that the batch's fence covers, which nobody else writes. The
-- primary key (run, seq) refuses a place that is taken, whatever was checked before.
INSERT INTO segue.journal (run, seq, event)
SELECT * FROM unnest(?::bigint[], ?::integer[], ?::bytea[])
