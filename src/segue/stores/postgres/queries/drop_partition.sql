-- Drops the partition that begins with a run, if none of its runs is there any more. Locks: see the function.
SELECT segue.drop_partition(?::text, ?::bigint)
