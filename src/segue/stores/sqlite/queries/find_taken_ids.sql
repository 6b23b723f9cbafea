-- For starts by (number in the batch, namespace, id, uid): the runs that stand in the way, or are the same one, as one
-- JSON list, and the last run number given out. One row, because every row costs a change of Python's lock. Locks:
-- reads under the batch's own write lock, so an id that is free stays free until COMMIT.
SELECT
    json_group_array(
        json_array(column1, superseded = 0, json_array(run, runs.uid, state, workflow, input_hash))
    ),
    coalesce((SELECT max(run) FROM runs), 0)
FROM (VALUES (?, ?, ?, ?)) JOIN runs ON runs.namespace = column2 AND runs.id = column3
WHERE runs.superseded = 0 OR runs.uid = column4
