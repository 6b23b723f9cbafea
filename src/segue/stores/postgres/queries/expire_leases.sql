-- Throws out workers whose lease has run out. Locks: their rows; a commit that has passed its fence comes first, and one
-- that has not finds the fence void.
DELETE FROM segue.owners WHERE app = ?::text AND expires < clock_timestamp() RETURNING epoch
