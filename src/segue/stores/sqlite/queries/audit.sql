-- Appends to the audit log, which is never changed. Locks: nothing but the new row.
INSERT INTO segue_audit (at, namespace, actor, action, target, outcome, address, request)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
