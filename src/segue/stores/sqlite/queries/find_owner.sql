-- Who owns an app and what they serve; nothing after it was given back. Whether they are alive is for the lock file to
-- say. Locks: nothing, reads the last committed state.
SELECT worker, serves FROM owners WHERE app = ? AND worker <> ''
