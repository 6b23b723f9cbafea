-- A run gives its id up to another one. Locks: the batch holds the file's only write lock.
UPDATE runs SET superseded = run WHERE run = ?
