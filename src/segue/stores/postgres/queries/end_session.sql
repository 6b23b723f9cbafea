-- Ends a session. Locks: its row; ending it twice is the same.
DELETE FROM segue.sessions WHERE digest = ?1::text
