-- Second half of writing the slots of an app anew, by (app, low, high, epoch, clean). Locks: new rows; others wait at
-- the rows that were there.
INSERT INTO segue.slots (app, low, high, epoch, clean)
SELECT * FROM unnest(?::text[], ?::integer[], ?::integer[], ?::bigint[], ?::boolean[])
