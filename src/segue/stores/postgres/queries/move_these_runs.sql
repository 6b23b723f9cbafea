-- Gives open runs of an app another slot, out of those that a worker owns (their first and their last ones). Locks: their
-- rows; the worker whose slots they leave has none of them in memory and holds its own row, and the one that gets them
-- finds them by looking.
UPDATE segue.runs SET slot = ?2::integer, wake = CASE WHEN wake = 1 THEN 2 ELSE wake END
WHERE app = ?1::text AND run = ANY (?3::bigint[]) AND closed_at IS NULL AND EXISTS (
    SELECT 1 FROM unnest(?4::integer[], ?5::integer[]) AS owned (low, high) WHERE runs.slot BETWEEN low AND high
)
