-- Number of an app's runs whose wake time has come and that no owner has in memory (those have 1), as far as a limit:
-- from the partial index alone. Locks: nothing, reads the last committed state.
SELECT count(*) FROM (SELECT 1 FROM runs WHERE app = ?1 AND wake > 1 AND wake <= ?2 LIMIT ?3)
