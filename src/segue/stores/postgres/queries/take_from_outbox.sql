-- Removes what has become a run. Locks: its rows; the run is on disk already, and has the row's uid, so that a row
-- which is found once more becomes no second one.
DELETE FROM segue.outbox USING unnest(?::bigint[]) AS taken (row) WHERE outbox.row = taken.row
