-- Says what a worker serves (JSON: see sql/serving.py). Locks: its row.
UPDATE segue.owners SET serves = ?::text WHERE app = ?::text AND epoch = ?::bigint
