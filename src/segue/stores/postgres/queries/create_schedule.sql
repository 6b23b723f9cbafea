-- Makes a schedule or backfill, unless there is one of the name; no row comes back then. Locks: the new row; of two
-- that make it the second waits and finds it made.
INSERT INTO segue.schedules (namespace, name, backfill, app, workflow, revision, wake, waits, plan, standing)
VALUES (
    ?1::text, ?2::text, ?3::text, ?4::text, ?5::text, 1, ?6::bigint, ?7::integer::boolean, ?8::bytea, ?9::bytea
)
ON CONFLICT (namespace, name, backfill) DO NOTHING
RETURNING revision
