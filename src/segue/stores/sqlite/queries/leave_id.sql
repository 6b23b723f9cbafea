-- A run that goes on as a new one gives up its id, and is in a chain from now on. Locks: the batch holds the file's only
-- write lock.
UPDATE runs SET superseded = run, chain = coalesce(chain, run) WHERE run = ?
