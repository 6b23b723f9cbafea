-- Of the (run, last seq, check inbox) given: those whose journal ends elsewhere (1: written by somebody else), or who
-- would close over a message that they have not seen (0). None, as a rule. The last value lists the inbox rows that the
-- batch consumes. Locks: reads under the batch's own write lock, so what it finds holds until COMMIT.
SELECT column1, coalesce((SELECT max(seq) FROM journal WHERE journal.run = column1), 0) <> column2 AS lost
FROM (VALUES (?, ?, ?))
WHERE lost OR (
    column3 AND EXISTS (
        SELECT 1 FROM inbox
        WHERE inbox.run = column1 AND inbox.row NOT IN (SELECT value FROM json_each(?))
    )
)
