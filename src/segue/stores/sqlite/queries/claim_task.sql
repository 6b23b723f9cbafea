-- Has an open task be somebody's (task, by, at), or nobody's, where it is still that one's who had it when somebody
-- looked (NULL: nobody's); no row otherwise. Locks: the transaction holds the file's only write lock, so of two who claim
-- it one is the first.
UPDATE tasks SET claimed_by = ?2, claimed_at = ?3
WHERE task = ?1 AND state = 'open' AND claimed_by IS ?4
RETURNING run
