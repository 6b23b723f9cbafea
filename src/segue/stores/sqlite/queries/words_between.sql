-- Words (in namespace ?1) from ?2 (included) to ?3 (not included), the first ?4 of them: from one to the next in an
-- index, without a look at what lies between. Locks: nothing, reads the last committed state.
WITH RECURSIVE found (word, place) AS (
    SELECT (SELECT min(words.word) FROM words WHERE namespace = ?1 AND words.word >= ?2 AND words.word < ?3), 1
    UNION ALL
    SELECT (
        SELECT min(words.word) FROM words
        WHERE namespace = ?1 AND words.word > found.word AND words.word < ?3
    ), place + 1
    FROM found WHERE word IS NOT NULL AND place < ?4
)
SELECT word FROM found WHERE word IS NOT NULL
