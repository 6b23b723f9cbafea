-- Words (in namespace ?1) from ?2 (included) to ?3 (not included), the first ?4 of them: from one to the next in an
-- index, without a look at what lies between. Locks: nothing, reads the last committed state.
WITH RECURSIVE found (word, place) AS (
    SELECT (
        SELECT words.word FROM segue.words
        WHERE namespace = ?1::text AND words.word >= ?2::text AND words.word < ?3::text ORDER BY words.word LIMIT 1
    ), 1
    UNION ALL
    SELECT (
        SELECT words.word FROM segue.words
        WHERE namespace = ?1::text AND words.word > found.word AND words.word < ?3::text ORDER BY words.word LIMIT 1
    ), place + 1
    FROM found WHERE word IS NOT NULL AND place < ?4::bigint
)
SELECT word FROM found WHERE word IS NOT NULL
