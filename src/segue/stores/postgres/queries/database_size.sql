-- Bytes of the database. Locks: nothing.
SELECT pg_database_size(current_database())
