-- A page of the audit log, the newest first. Locks: nothing, reads the last committed state.
SELECT entry, at, namespace, actor, action, target, outcome, address, request
FROM segue.audit
WHERE namespace = ?1::text AND (?2::text IS NULL OR actor = ?2::text) AND (?3::bigint IS NULL OR entry < ?3::bigint)
ORDER BY entry DESC LIMIT ?4::bigint
