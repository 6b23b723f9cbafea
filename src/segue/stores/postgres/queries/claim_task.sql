-- Has an open task be somebody's (task, by, at), or nobody's, where it is still that one's who had it when somebody
-- looked (NULL: nobody's); no row otherwise. Locks: the task's row, and no other after it, so of two who claim it one is
-- the first.
UPDATE segue.tasks SET claimed_by = ?2::text, claimed_at = ?3::bigint
WHERE task = ?1::bigint AND state = 'open' AND claimed_by IS NOT DISTINCT FROM ?4::text
RETURNING run
