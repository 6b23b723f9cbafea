-- What the partitions of a table are for, the earliest runs first; without the one that is for all others. Locks:
-- nothing, reads the catalogue.
SELECT low, high FROM segue.partitions WHERE parent = ?::text AND low IS NOT NULL ORDER BY low
