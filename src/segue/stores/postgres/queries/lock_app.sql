-- Begins to move the slots of an app. Locks: the app's row, so that one worker at a time moves them. The slots are read by
-- a statement of its own after it: rows that others have put in the place of those that it waited for are not seen by a
-- statement that began before.
SELECT 1 FROM segue.apps WHERE app = ?::text FOR UPDATE
