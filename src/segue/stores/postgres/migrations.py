"""Bringing a database to the schema of this release, one numbered ``.sql`` file at a time."""

from __future__ import annotations

import logging
import random
import time
from pathlib import Path

import psycopg
from psycopg import errors

from segue.errors import SchemaTooNew, StoreUnavailable
from segue.stores.postgres.connection import Address, Connection, meaning
from segue.stores.sql.migrations import numbered

log = logging.getLogger("segue.store")

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x5E60E
"""Of the advisory lock under which migrations are applied."""
TRIES = 30
"""How often a migration is tried that workers are in the way of."""
PATIENCE = "1s"
"""How long it waits for a table."""
PAUSE = 0.1, 0.5
"""Seconds between tries, from and to, by chance."""
BUSY = (errors.DeadlockDetected, errors.LockNotAvailable)


def version(connection: Connection) -> int:
    """The number of the last migration that was applied to the database; 0 for one that has none of ours."""
    return _meta(connection, "schema")


def _meta(connection: Connection, name: str) -> int:
    try:
        rows = connection.execute("SELECT value FROM segue.meta WHERE name = $1", (name,)).fetchall()
    except (errors.UndefinedTable, errors.InvalidSchemaName):
        return 0
    return int(rows[0][0])


def migrate(connection: Connection, address: Address, folder: Path = MIGRATIONS) -> None:
    """Applies what is missing of the folder's files, all of it or nothing. Any number of processes may do this at once,
    while workers are at work: a table is waited for only briefly, because whoever comes after waits too, and where both
    have what the other wants, the server ends one of them. Then all of it is tried again.

    Raises:
        SchemaTooNew: a newer release has written the database, and says that this one is too old for it.
        StoreUnavailable: the database cannot be written to, or its tables are too busy.
    """
    for again in reversed(range(TRIES)):
        try:
            _apply(connection, address, numbered(folder))
        except BUSY as error:
            if not again:
                raise StoreUnavailable(
                    f"{address.shown}: workers are at work on the tables that were to be changed, {TRIES} times in a "
                    f"row ({str(error).strip()}); nothing was changed: try again when there is less to do"
                ) from error
            log.info("the tables of %s are busy; the migration is tried again", address.shown)
            time.sleep(random.uniform(*PAUSE))
        except psycopg.Error as error:
            raise meaning(error, address) from error
        else:
            return


def _apply(connection: Connection, address: Address, files: dict[int, Path]) -> None:
    if _is_current(connection, address, len(files)):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock($1)", (LOCK,))
        if _exists(connection) and _is_current(connection, address, len(files)):
            return
        found = version(connection) if _exists(connection) else 0
        connection.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'".encode())
        for step, file in sorted(files.items()):
            if step > found:
                connection.execute(file.read_bytes())
        connection.execute("UPDATE segue.meta SET value = $1 WHERE name = 'schema'", (str(len(files)),))


def _exists(connection: Connection) -> bool:
    return connection.execute("SELECT to_regclass('segue.meta')").fetchall()[0][0] is not None


def _is_current(connection: Connection, address: Address, latest: int) -> bool:
    found = version(connection)
    if found <= latest:
        return found == latest
    oldest = _meta(connection, "oldest_code")
    if oldest > latest:
        raise SchemaTooNew(
            f"{address.shown} has schema {found}, written by a newer release; this one knows schema {latest}: update "
            f"segue on this machine (code from schema {oldest} on may work with the database)"
        )
    return True
