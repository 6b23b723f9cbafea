-- Numbers for new runs. Locks: nothing; numbers that are not used are lost.
SELECT nextval('segue.runs_run_seq') FROM generate_series(1, ?::integer)
