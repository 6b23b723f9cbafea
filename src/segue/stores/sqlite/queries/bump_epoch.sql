-- Makes the caller the owner and voids the fence of whoever was. In autocommit: waits for the file's write lock, so it
-- falls between two commits of the predecessor, of whom it lets none pass afterwards.
INSERT INTO owners (app, epoch, worker, serves, commit_id) VALUES (?1, 1, ?2, ?3, 0)
ON CONFLICT (app) DO UPDATE SET epoch = epoch + 1, worker = excluded.worker, serves = excluded.serves, commit_id = 0
RETURNING epoch
