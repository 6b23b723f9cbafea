-- A worker gives its lease back, or is thrown out: its fence is void. Locks: its row; a commit of its own comes first.
DELETE FROM segue.owners WHERE app = ?::text AND epoch = ?::bigint RETURNING epoch
