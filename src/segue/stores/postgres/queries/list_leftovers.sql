-- Places at which nothing has to be any more, of those noted before a time. Locks: nothing, reads the last committed
-- state.
SELECT place FROM segue.leftovers WHERE since < ?::bigint ORDER BY since, place LIMIT ?::bigint
