-- Whether a place is announced, and nobody has begun to remove what is there. Locks: its row: whoever begins to remove what is
-- there came before, and is seen, or comes after, and finds it gone.
SELECT 1 FROM segue.leftovers WHERE place = ?::text AND since > 0 FOR UPDATE
