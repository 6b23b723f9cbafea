-- Who owned an app last; no name when it was given back. Locks: reads under the transaction's own write lock.
SELECT worker FROM owners WHERE app = ?
