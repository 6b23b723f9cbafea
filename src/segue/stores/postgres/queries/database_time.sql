-- The server's clock, in µs. Locks: nothing.
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
