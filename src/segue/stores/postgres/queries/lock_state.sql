-- Keeps other transactional steps from reading a key of keyed state until the transaction ends, also one that has no value
-- yet and so no row that could be locked. Locks: the key, by a number made of it; two keys of one number wait for each
-- other, and two transactions that wait for each other are told apart by the server: one of them comes again.
SELECT pg_advisory_xact_lock(386576, hashtext(?::text || chr(10) || ?::text || chr(10) || ?::text))
