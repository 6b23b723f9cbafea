-- Adds a partition of a table for runs from one number (included) to another (not included). Locks: see the function, in
-- the first migration; as for all that follow.
SELECT segue.make_partition(?::text, ?::bigint, ?::bigint)
