-- Number of rows of the tables that grow. Locks: nothing, reads the last committed state.
SELECT
    (SELECT count(*) FROM segue.journal), (SELECT count(*) FROM segue.payloads), (SELECT count(*) FROM segue.inbox),
    (SELECT count(*) FROM segue.tasks WHERE state = 'open')
