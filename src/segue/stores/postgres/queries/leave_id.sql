-- A run that goes on as a new one gives up its id, and is in a chain from now on. Locks: rows of runs that the batch's
-- fence covers, which nobody else writes.
UPDATE segue.runs SET superseded = run, chain = coalesce(chain, run) WHERE run = ?::bigint
