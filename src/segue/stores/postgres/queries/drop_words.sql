-- Takes words of runs away by (namespace, word, run). Locks: rows of runs that the batch's fence covers, which nobody
-- else writes.
DELETE FROM segue.words
USING unnest(?::text[], ?::text[], ?::bigint[]) AS given (namespace, word, run)
WHERE words.namespace = given.namespace AND words.word = given.word AND words.run = given.run
