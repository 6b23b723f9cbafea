-- Number of rows of the tables that grow. Locks: nothing, reads the last committed state.
SELECT
    (SELECT count(*) FROM journal), (SELECT count(*) FROM payloads), (SELECT count(*) FROM inbox),
    (SELECT count(*) FROM tasks WHERE state = 'open')
