"""Opens the store that a URL names: the one place that knows which there are."""

from __future__ import annotations

import os

from segue.errors import InvalidArgument, StoreUnavailable
from segue.settings import Durability, is_postgres, sqlite_path
from segue.stores.base import Store
from segue.stores.sqlite.backup import restore as restore_file
from segue.stores.sqlite.store import SqliteStore


def open_store(url: str, *, durability: Durability = "full", lease: float = 10.0) -> Store:
    """The store, made if need be.

    Raises:
        StoreUnavailable, StoreCorrupt, SchemaTooNew: the message says what to do.
        InvalidArgument: the URL names no database.
    """
    if not is_postgres(url):
        return SqliteStore.open(sqlite_path(url), durability=durability)
    try:
        from segue.stores.postgres.store import PostgresStore
    except ImportError as error:
        raise StoreUnavailable("PostgreSQL needs psycopg, which is not here: pip install 'segue[postgres]'") from error
    return PostgresStore.open(url, lease=lease)


def shown(url: str) -> str:
    """The database as two engines of one process may compare it, and as people may see it: without a password."""
    if not is_postgres(url):
        return os.path.realpath(sqlite_path(url))
    before, _, place = url.rpartition("@")
    user = before.rpartition("://")[2].partition(":")[0]
    return f"postgresql://{user}{'@' if user else ''}{place.rpartition('://')[2].partition('?')[0]}"


def restore_database(backup: str, url: str) -> None:
    """See ``engine.restore``."""
    if is_postgres(url):
        raise InvalidArgument(
            "a PostgreSQL database is restored with the server's own tools (pg_restore, or your provider's "
            "snapshots); end all workers first"
        )
    restore_file(backup, str(sqlite_path(url)))
