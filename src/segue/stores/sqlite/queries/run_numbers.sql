-- The lowest and the highest number of a run, each from the end of an index. Locks: nothing, reads the last committed
-- state.
SELECT (SELECT min(run) FROM runs), (SELECT max(run) FROM runs)
