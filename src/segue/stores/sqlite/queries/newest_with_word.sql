-- The newest runs with a word, before a run: from one end of the word's rows. Locks: nothing, reads the last committed state.
SELECT run FROM words WHERE namespace = ? AND word = ? AND run < ? ORDER BY run DESC LIMIT ?
