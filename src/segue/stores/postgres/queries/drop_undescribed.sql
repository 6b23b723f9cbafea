-- Deletes a namespace's row once nothing is said in it. Locks: the row, which this transaction has just written.
DELETE FROM segue.namespaces WHERE name = ?1::text AND description = '' AND retention = ''
