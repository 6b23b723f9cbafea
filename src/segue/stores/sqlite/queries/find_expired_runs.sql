-- Runs that closed before a time, and when, longest ago first; never the newest of all, after which run numbers go on,
-- and no child of an open parent, which may still ask for it. Locks: nothing, reads the last committed state: what is
-- closed stays closed until it is deleted.
SELECT run, closed_at FROM runs AS ended
WHERE closed_at < ?1 AND state IN (SELECT value FROM json_each(?2)) AND (?3 IS NULL OR workflow = ?3)
    AND workflow NOT IN (SELECT value FROM json_each(?4)) AND (?5 IS NULL OR app = ?5)
    AND (?7 IS NULL OR namespace = ?7) AND namespace NOT IN (SELECT value FROM json_each(?8))
    AND run < (SELECT max(run) FROM runs)
    AND NOT EXISTS (SELECT 1 FROM runs AS above WHERE above.run = ended.parent AND above.closed_at IS NULL)
ORDER BY closed_at LIMIT ?6
