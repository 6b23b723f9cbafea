-- Reads the partition for all other runs, to know that it keeps to its bounds. Locks: see the function.
SELECT segue.check_rest(?::text)
