-- Ends a session. Locks: its row; ending it twice is the same.
DELETE FROM segue_sessions WHERE digest = ?1
