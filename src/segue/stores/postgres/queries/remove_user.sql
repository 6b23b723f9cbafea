-- Takes an account away; its sessions and keys go in the same transaction. Locks: the row.
DELETE FROM segue.users WHERE name = ?1::text
RETURNING name
