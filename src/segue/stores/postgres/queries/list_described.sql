-- Namespaces of which something is said, and what. Locks: nothing, reads the last committed state.
SELECT name, description, retention FROM segue.namespaces
