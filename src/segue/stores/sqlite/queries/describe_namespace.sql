-- Says of a namespace what it is for and how long its runs are kept; NULL leaves what was said. Locks: the transaction
-- holds the file's only write lock, so of two who change different things neither takes back the other's.
INSERT INTO namespaces (name, description, retention) VALUES (?1, coalesce(?2, ''), coalesce(?3, ''))
ON CONFLICT (name) DO UPDATE SET
    description = coalesce(?2, namespaces.description), retention = coalesce(?3, namespaces.retention)
RETURNING name, description, retention
