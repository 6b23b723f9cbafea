"""Runs in a SQLite file: one writer, readers beside it, and no server.

The file is in WAL mode with ``synchronous=FULL``: a commit that was acknowledged is on disk. Statements stand one to a
``.sql`` file, each with a header that says what it locks and why that is safe; migrations are numbered ``.sql`` files
that are never edited after a release.

May import: ``segue.stores.base``, ``segue.kernel``, ``segue.errors``, apsw. Imported by ``segue.engine`` only.

Start reading: the first migration (what is kept, and under which keys), then the ``.sql`` files by name.
"""

from segue.stores.sqlite.backup import restore
from segue.stores.sqlite.connection import Durability
from segue.stores.sqlite.store import SqliteStore

__all__ = ["Durability", "SqliteStore", "restore"]
