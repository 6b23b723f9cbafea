-- Runs whose id is from one (included) to another (not included), as they come, up to a number. Locks: nothing, reads the last committed state.
SELECT run FROM runs INDEXED BY runs_by_id WHERE namespace = ? AND id >= ? AND id < ? LIMIT ?
