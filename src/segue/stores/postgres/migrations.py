"""Bringing a database to the schema of this release, one numbered ``.sql`` file at a time."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import errors

from segue.errors import SchemaTooNew
from segue.stores.postgres.connection import Address, Connection, meaning
from segue.stores.sql.migrations import numbered

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x5E60E
"""Of the advisory lock under which migrations are applied."""


LATEST = len(numbered(MIGRATIONS))
"""The schema this release writes."""


def version(connection: Connection) -> int:
    """The number of the last migration that was applied to the database; 0 for one that has none of ours."""
    return _meta(connection, "schema")


def _meta(connection: Connection, name: str) -> int:
    try:
        rows = connection.execute("SELECT value FROM segue.meta WHERE name = $1", (name,)).fetchall()
    except (errors.UndefinedTable, errors.InvalidSchemaName):
        return 0
    return int(rows[0][0])


def migrate(connection: Connection, address: Address) -> None:
    """Applies what is missing, all of it or nothing. Any number of processes may do this at once.

    Raises:
        SchemaTooNew: a newer release has written the database, and says that this one is too old for it.
        StoreUnavailable: the database cannot be written to.
    """
    try:
        if _is_current(connection, address):
            return
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock($1)", (LOCK,))
            if _exists(connection) and _is_current(connection, address):
                return
            found = version(connection) if _exists(connection) else 0
            for step, file in sorted(numbered(MIGRATIONS).items()):
                if step > found:
                    connection.execute(file.read_bytes())
            connection.execute("UPDATE segue.meta SET value = $1 WHERE name = 'schema'", (str(LATEST),))
    except psycopg.Error as error:
        raise meaning(error, address) from error


def _exists(connection: Connection) -> bool:
    return connection.execute("SELECT to_regclass('segue.meta')").fetchall()[0][0] is not None


def _is_current(connection: Connection, address: Address) -> bool:
    found = version(connection)
    if found <= LATEST:
        return found == LATEST
    oldest = _meta(connection, "oldest_code")
    if oldest > LATEST:
        raise SchemaTooNew(
            f"{address.shown} has schema {found}, written by a newer release; this one knows schema {LATEST}: update "
            f"segue on this machine (code from schema {oldest} on may work with the database)"
        )
    return True
