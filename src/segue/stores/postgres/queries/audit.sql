-- Appends to the audit log, which is never changed. Locks: nothing but the new row.
INSERT INTO segue.audit (at, namespace, actor, action, target, outcome, address, request)
VALUES (?1::bigint, ?2::text, ?3::text, ?4::text, ?5::text, ?6::integer, ?7::text, ?8::text)
