-- A run gives its id up to another one. Locks: its row, which is locked since the run was found to hold the id.
UPDATE segue.runs SET superseded = run WHERE run = ?::bigint
