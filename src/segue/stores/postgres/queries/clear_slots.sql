-- First half of writing the slots of an app anew. Locks: their rows, which are locked since they were read.
DELETE FROM segue.slots WHERE app = ?::text
