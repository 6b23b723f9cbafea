-- Takes all API keys of an account away that goes in the same transaction. Locks: their rows.
DELETE FROM segue_keys WHERE owner = ?1
