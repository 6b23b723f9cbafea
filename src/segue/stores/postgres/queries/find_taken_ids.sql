-- For starts by (number in the batch, namespace, id, uid): the runs that stand in the way, or are the same one, as one
-- JSON list. Locks: the rows of these runs, FOR UPDATE and in order, because one of them may be closed; an id that is
-- free may be taken meanwhile, which its unique index refuses, and the batch comes again.
WITH given AS MATERIALIZED (
    SELECT * FROM unnest(?::integer[], ?::text[], ?::text[], ?::text[]) AS asked (number, space, name, uid)
), taken AS MATERIALIZED (
    SELECT run, runs.namespace, runs.id, superseded, runs.uid, state, workflow, input_hash FROM segue.runs
    WHERE run IN (
        SELECT found.run FROM given JOIN segue.runs AS found ON found.namespace = space AND found.id = name
        WHERE found.superseded = 0 OR found.uid = given.uid
    )
    ORDER BY run FOR UPDATE
)
SELECT
    coalesce(json_agg(
        json_build_array(
            number, (superseded = 0)::integer, json_build_array(run, taken.uid, state, workflow, input_hash)
        )
    )::text, '[]'),
    0
FROM given JOIN taken ON taken.namespace = space AND taken.id = name
WHERE superseded = 0 OR taken.uid = given.uid
