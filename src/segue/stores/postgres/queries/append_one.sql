-- The whole transaction of a batch that is one event and nothing else: a run that goes step by step; no row where the
-- fence is void (see fence.sql) or the event before it is not there. Locks: the owner's row, FOR SHARE, so that a takeover, which
-- changes it, comes before or after. The batch's number is not recorded: the row itself says that the batch has landed.
WITH fence AS (SELECT 1 FROM segue.owners WHERE app = ?4::text AND epoch = ?5::bigint AND commit_id >= ?6::bigint FOR SHARE)
INSERT INTO segue.journal (run, seq, event)
SELECT ?1::bigint, ?2::integer, ?3::bytea FROM fence
WHERE EXISTS (SELECT 1 FROM segue.journal WHERE run = ?1::bigint AND seq = ?2::integer - 1)
