-- Says to which versions of its workflows a worker is confined (JSON: versions by workflow). Locks: its row.
UPDATE segue.owners SET pins = ?::text WHERE app = ?::text AND epoch = ?::bigint
