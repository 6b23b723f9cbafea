-- Inserts the run that goes on from another one (run, uid, version, wake, time), under its id, in its slot, and with
-- what is said of it. Locks: rows of runs that the batch's fence covers, which nobody else writes. The run before has
-- given up the id in the same transaction.
INSERT INTO segue.runs (
    namespace, id, uid, app, workflow, version, state, wake, started_at, changed_at, parent, input_hash, tags, chain,
    summary, slot
)
SELECT
    namespace, id, ?2::text, app, workflow, ?3::text, 'running', ?4::bigint, ?5::bigint, ?5::bigint, parent, input_hash,
    tags, chain, summary, slot
FROM segue.runs WHERE run = ?1::bigint
RETURNING run, chain
