-- Of the (run, last seq, check inbox) given: those whose journal ends elsewhere (true: written by somebody else), or
-- who would close over a message that they have not seen (false). None, as a rule. The last value lists the inbox rows
-- that the batch consumes; behind what the other dialect takes come the first and the last of the runs. Locks: nothing; the
-- rows of runs whose inbox is looked into are locked before, and a place that is taken meanwhile is refused by the
-- journal's key.
SELECT run, ended <> last AS lost
FROM (
    SELECT run, last, checks, coalesce((
        SELECT seq FROM segue.journal
        WHERE journal.run = given.run AND journal.run BETWEEN ?5::bigint AND ?6::bigint ORDER BY seq DESC LIMIT 1
    ), 0) AS ended
    FROM unnest(?1::bigint[], ?2::integer[], ?3::boolean[]) AS given (run, last, checks)
) AS found
WHERE ended <> last OR (
    checks AND EXISTS (
        SELECT 1 FROM segue.inbox
        WHERE inbox.run = found.run AND inbox.row <> ALL (ARRAY(SELECT json_array_elements_text(?4::json)::bigint))
    )
)
