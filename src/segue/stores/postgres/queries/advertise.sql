-- Says what a worker serves (JSON: version by workflow). Locks: its row.
UPDATE segue.owners SET serves = ?::text WHERE app = ?::text AND epoch = ?::bigint
