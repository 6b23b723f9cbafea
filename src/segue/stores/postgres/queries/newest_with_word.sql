-- The newest runs with a word, before a run: from one end of the word's rows. Locks: nothing, reads the last committed state.
SELECT run FROM segue.words
WHERE namespace = ?::text AND word = ?::text AND run < ?::bigint ORDER BY run DESC LIMIT ?::bigint
