-- For messages by (number in the batch, run, namespace, id, message): the run each is for (by row, or the current one
-- of the id; the last one of its chain if it has gone on), its state, whether its chain knows the message already, and
-- the chain; as one JSON list. Locks: the rows of these runs, FOR KEY SHARE, in the order of their numbers: one that is
-- open stays open until COMMIT, and whoever closes it, which takes FOR UPDATE, sees the messages. Nobody waits for an
-- owner that only says how its runs are, or two that post to each other's runs would wait for each other.
WITH given AS MATERIALIZED (
    SELECT number, message, coalesce(
        (
            SELECT max(later.run) FROM segue.runs AS first JOIN segue.runs AS later ON later.chain = first.chain
            WHERE first.run = wanted
        ),
        wanted,
        (
            SELECT named.run FROM segue.runs AS named
            WHERE named.namespace = space AND named.id = name AND named.superseded = 0
        )
    ) AS run
    FROM unnest(?::integer[], ?::bigint[], ?::text[], ?::text[], ?::text[])
        AS asked (number, wanted, space, name, message)
), addressees AS MATERIALIZED (
    SELECT runs.run, runs.state, coalesce(runs.chain, runs.run) AS chain FROM segue.runs
    WHERE runs.run IN (SELECT given.run FROM given) ORDER BY runs.run FOR KEY SHARE
)
SELECT
    coalesce(json_agg(
        json_build_array(
            number, addressees.run, state,
            -- by the index for each of them: a join would rather read all messages there ever were
            coalesce((
                SELECT 1 FROM segue.messages
                WHERE messages.chain = addressees.chain AND messages.message = given.message LIMIT 1
            ), 0),
            addressees.chain
        )
        ORDER BY number
    )::text, '[]'),
    0
FROM given JOIN addressees ON addressees.run = given.run
