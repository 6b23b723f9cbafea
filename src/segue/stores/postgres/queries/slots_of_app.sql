-- Which worker owns which slots of an app. Locks: nothing; who moves them holds the app's row.
SELECT low, high, epoch, clean FROM segue.slots WHERE app = ?::text ORDER BY low
