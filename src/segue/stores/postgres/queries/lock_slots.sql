-- Which worker owns which slots of an app. Locks: these rows: one worker at a time moves them.
SELECT low, high, epoch, clean FROM segue.slots WHERE app = ?::text ORDER BY low FOR UPDATE
