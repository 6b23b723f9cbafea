-- Of the (run, uid) given, those whose number is another run's: the database was set back, and has given the number out
-- anew. None, as a rule. Locks: nothing; the uid of a run never changes.
SELECT given.run FROM unnest(?1::bigint[], ?2::text[]) AS given (run, uid)
JOIN segue.runs ON runs.run = given.run AND runs.uid <> given.uid
