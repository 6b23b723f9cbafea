-- Drops answers that are older than they are kept. Locks: their rows; whoever asks again is a new request.
DELETE FROM segue_answers WHERE at < ?1
