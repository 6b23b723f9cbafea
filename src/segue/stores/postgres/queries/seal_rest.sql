-- Makes the partition for all other runs one like the others, and an empty one in its place. Locks: see the function.
SELECT segue.seal_rest(?::text)
