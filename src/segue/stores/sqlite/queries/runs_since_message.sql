-- The runs of a run's chain from the one that got a message of this id, in order; none where no run got it, or the run
-- is in no chain. Locks: nothing, reads the last committed state.
SELECT later.run FROM runs AS asked
JOIN messages ON messages.chain = asked.chain
JOIN runs AS later ON later.chain = messages.chain AND later.run >= messages.run
WHERE asked.run = ? AND messages.message = ?
ORDER BY later.run
