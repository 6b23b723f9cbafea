-- Places at which nothing has to be any more, of those noted before a time. Locks: nothing, reads the last committed
-- state.
SELECT place FROM leftovers WHERE since < ? ORDER BY since, place LIMIT ?
