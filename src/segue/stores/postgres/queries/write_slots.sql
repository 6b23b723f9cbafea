-- Second half of writing the slots of an app anew, by (app, low, high, epoch, clean). Locks: new rows; who moves them holds
-- the app's row.
INSERT INTO segue.slots (app, low, high, epoch, clean)
SELECT * FROM unnest(?::text[], ?::integer[], ?::integer[], ?::bigint[], ?::boolean[])
