-- A page of the audit log, the newest first. Locks: nothing, reads the last committed state.
SELECT entry, at, namespace, actor, action, target, outcome, address, request
FROM segue_audit
WHERE namespace = ?1 AND (?2 IS NULL OR actor = ?2) AND (?3 IS NULL OR entry < ?3)
ORDER BY entry DESC LIMIT ?4
