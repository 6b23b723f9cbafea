-- For messages by (number in the batch, run, namespace, id, message): the run each is for (by row, or the current one of
-- the id; the last one of its chain if it has gone on), its state, whether its chain knows the message already, and the
-- chain; as one JSON list, and the last inbox row given out. One row, because every row costs a change of Python's lock.
-- Locks: reads under the batch's own write lock, so a run that is open stays open until COMMIT.
SELECT
    json_group_array(
        json_array(column1, runs.run, runs.state, messages.run IS NOT NULL, coalesce(runs.chain, runs.run))
        ORDER BY column1
    ),
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'inbox'), 0)
FROM (VALUES (?, ?, ?, ?, ?))
JOIN runs ON runs.run = coalesce(
    (SELECT max(later.run) FROM runs AS asked JOIN runs AS later ON later.chain = asked.chain WHERE asked.run = column2),
    column2,
    (
        SELECT named.run FROM runs AS named
        WHERE named.namespace = column3 AND named.id = column4 AND named.superseded = 0
    )
)
LEFT JOIN messages ON messages.chain = coalesce(runs.chain, runs.run) AND messages.message = column5
