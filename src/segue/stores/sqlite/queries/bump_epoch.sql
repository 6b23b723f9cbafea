-- Makes the caller the owner, by (app, worker, what it serves, time in µs), and voids the fence of whoever was. The epoch
-- is the time, and higher than the last one if the clock was set back: a count alone begins anew where a backup is
-- restored over a file that is damaged or gone, and would give a fence out a second time. In autocommit: waits for the
-- file's write lock, so it falls between two commits of the predecessor, of whom it lets none pass afterwards.
INSERT INTO owners (app, epoch, worker, serves, commit_id) VALUES (?1, ?4, ?2, ?3, 0)
ON CONFLICT (app) DO UPDATE
SET epoch = max(epoch + 1, excluded.epoch), worker = excluded.worker, serves = excluded.serves, commit_id = 0
RETURNING epoch
