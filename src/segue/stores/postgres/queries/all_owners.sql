-- Workers that are alive, of one app if it is given, with how many slots each has; times in µs. Locks: nothing, reads the
-- last committed state.
SELECT
    worker, app, epoch, (extract(epoch FROM since) * 1000000)::bigint, (extract(epoch FROM expires) * 1000000)::bigint,
    (
        SELECT coalesce(sum(high - low + 1), 0)::integer FROM segue.slots
        WHERE slots.app = owners.app AND slots.epoch = owners.epoch
    ),
    serves, coalesce(pins, '{}')
FROM segue.owners
WHERE expires >= clock_timestamp() AND (?1::text IS NULL OR app = ?1::text)
ORDER BY app, epoch
