-- One row if the run's chain has seen the message. Locks: nothing, reads the last committed state.
SELECT 1 FROM runs
JOIN messages ON messages.chain = coalesce(runs.chain, runs.run)
WHERE runs.run = ? AND messages.message = ?
