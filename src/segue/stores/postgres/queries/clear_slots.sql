-- First half of writing the slots of an app anew. Locks: their rows; who moves them holds the app's row.
DELETE FROM segue.slots WHERE app = ?::text
