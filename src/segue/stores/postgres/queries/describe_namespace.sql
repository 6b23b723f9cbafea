-- Says of a namespace what it is for and how long its runs are kept; NULL leaves what was said. Locks: the namespace's
-- row, and no other after it, so of two who change different things neither takes back the other's.
INSERT INTO segue.namespaces (name, description, retention) VALUES (
    ?1::text, coalesce(?2::text, ''), coalesce(?3::text, '')
)
ON CONFLICT (name) DO UPDATE SET
    description = coalesce(?2::text, namespaces.description), retention = coalesce(?3::text, namespaces.retention)
RETURNING name, description, retention
