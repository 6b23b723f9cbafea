-- Has the partition for all other runs take none from a number on. Locks: see the function.
SELECT segue.confine_rest(?::text, ?::bigint)
