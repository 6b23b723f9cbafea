-- Of the runs from one (included) to another (not included), those that conditions hold for, which are added behind the
-- last one, newest first. NOT INDEXED: by number, whatever else is asked. Locks: nothing, reads the last committed state.
SELECT runs.run FROM runs NOT INDEXED
WHERE runs.run >= ? AND runs.run < ? AND true
ORDER BY runs.run DESC LIMIT ?
