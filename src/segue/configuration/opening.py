"""Opens the store that a URL names: the one place that knows which there are."""

from __future__ import annotations

import os

from segue.configuration.settings import Durability, is_postgres, sqlite_path
from segue.errors import InvalidArgument, StoreUnavailable
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


def without_password(url: str) -> str:
    """The URL as a person may be told to write it: with a word in the place of its password."""
    if not is_postgres(url):
        return url
    before, at, place = url.rpartition("@")
    scheme, _, login = before.rpartition("://")
    user, colon, _ = login.partition(":")
    place, mark, query = place.partition("?")
    kept = "&".join(part for part in query.split("&") if not part.startswith(("password=", "sslpassword=")))
    return f"{scheme}{'://' if at else ''}{user}{':PASSWORD' if colon else ''}{at}{place}{mark if kept else ''}{kept}"


def restore_database(backup: str, url: str) -> None:
    """See ``engine.restore``."""
    if is_postgres(url):
        raise InvalidArgument(
            "a PostgreSQL database is restored with the server's own tools (pg_restore, or your provider's "
            "snapshots); end all workers first"
        )
    restore_file(backup, str(sqlite_path(url)))
