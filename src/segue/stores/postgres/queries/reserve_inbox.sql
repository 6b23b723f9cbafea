-- Numbers for new inbox rows, which grow in the order in which their senders were acknowledged. Locks: nothing; numbers
-- that are not used are lost.
SELECT nextval('segue.inbox_row_seq') FROM generate_series(1, ?::integer)
