-- After a restore nobody owns anything: every app's epoch goes past its own and past the one in the replaced database
-- (JSON, app to epoch). Locks: runs on a copy that nobody else has open.
INSERT INTO owners (app, epoch, worker, commit_id)
SELECT app, max(epoch) + 1, '', 0
FROM (SELECT app, epoch FROM owners UNION ALL SELECT key, value FROM json_each(?))
WHERE true
GROUP BY app
ON CONFLICT (app) DO UPDATE SET epoch = excluded.epoch, worker = '', commit_id = 0
