-- Runs by state and by when they began, at most so many of the newest; conditions of the filter are added to WHERE true.
-- A bar is as long as the shortest of a list with which there are no more bars than wanted, from the first run (or the
-- time that is given) to the last or now. Locks: nothing, reads the last committed state.
WITH found AS (
    SELECT runs.started_at, runs.state FROM runs WHERE true ORDER BY runs.run DESC LIMIT ?
), reach AS (
    SELECT coalesce(?, min(started_at)) AS since, coalesce(?, max(?, max(started_at) + 1)) AS until FROM found
), width AS (
    SELECT min(value) AS bar FROM json_each(?), reach WHERE value * ? >= until - since
)
SELECT since, until, bar, started_at / bar, state, count(*) FROM found, reach, width GROUP BY 4, 5
