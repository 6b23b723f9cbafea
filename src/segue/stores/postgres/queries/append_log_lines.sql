-- Keeps lines that steps printed. Locks: new rows only.
INSERT INTO segue.log_lines (run, key, attempt, at, level, stream, text)
SELECT * FROM unnest(?::bigint[], ?::text[], ?::integer[], ?::bigint[], ?::text[], ?::text[], ?::text[])
