-- Gives open runs of an app and a workflow that are due, or have mail, another slot, out of those that a worker owns
-- (their first and their last ones). Those that are due are found by the partial index. Locks: their rows; the worker
-- whose slots they leave has none of them in memory and holds its own row, and the one that gets them finds them by
-- looking.
UPDATE segue.runs SET slot = ?3::integer, wake = CASE WHEN wake = 1 THEN 2 ELSE wake END
WHERE run IN (
        SELECT due.run FROM segue.runs AS due
        WHERE due.app = ?1::text AND due.workflow = ?2::text AND due.wake <= ?4::bigint
        UNION
        SELECT inbox.run FROM segue.inbox
    )
    AND app = ?1::text AND workflow = ?2::text AND closed_at IS NULL
    AND EXISTS (
        SELECT 1 FROM unnest(?5::integer[], ?6::integer[]) AS owned (low, high) WHERE runs.slot BETWEEN low AND high
    )
