-- Gives open runs of an app and a workflow that are due, or have mail, another slot, out of those that a worker owns
-- (their first and their last ones). Locks: their rows; the worker whose slots they leave has none of them in memory and
-- holds its own row, and the one that gets them finds them by looking.
UPDATE segue.runs SET slot = ?3::integer, wake = CASE WHEN wake = 1 THEN 2 ELSE wake END
WHERE app = ?1::text AND workflow = ?2::text AND closed_at IS NULL
    AND (wake <= ?4::bigint OR run IN (SELECT inbox.run FROM segue.inbox))
    AND EXISTS (
        SELECT 1 FROM unnest(?5::integer[], ?6::integer[]) AS owned (low, high) WHERE runs.slot BETWEEN low AND high
    )
