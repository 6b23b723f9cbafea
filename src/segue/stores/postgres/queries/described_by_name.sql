-- What is said of a namespace. Locks: nothing, reads the last committed state.
SELECT name, description, retention FROM segue.namespaces WHERE name = ?1::text
