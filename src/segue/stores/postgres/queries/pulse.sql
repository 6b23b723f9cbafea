-- A number that grows with every commit. Locks: nothing.
SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn
