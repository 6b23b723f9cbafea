"""Bringing a database file to the schema of this release, one numbered ``.sql`` file at a time."""

from __future__ import annotations

from pathlib import Path

import apsw

from segue.errors import SchemaTooNew
from segue.stores.sql.migrations import numbered
from segue.stores.sqlite.connection import APPLICATION_ID, meaning, number, pragma

MIGRATIONS = Path(__file__).parent / "migrations"


LATEST = len(numbered(MIGRATIONS))
"""The schema this release writes."""


def version(connection: apsw.Connection) -> int:
    """The number of the last migration that was applied to the file."""
    return number(connection, "user_version")


def migrate(connection: apsw.Connection, path: str) -> None:
    """Applies what is missing, all of it or nothing. Any number of processes may do this at once.

    Raises:
        SchemaTooNew: a newer release has written the file, and says that this one is too old for it.
        StoreUnavailable: the file cannot be written to.
    """
    try:
        if version(connection) >= LATEST:
            _refuse_newer(connection, path)
            return
        connection.execute("BEGIN IMMEDIATE")  # whoever was first has done it when the second one gets here
        try:
            _apply(connection, path)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    except apsw.Error as error:
        raise meaning(error, path) from error


def _apply(connection: apsw.Connection, path: str) -> None:
    _refuse_newer(connection, path)
    for step, file in sorted(numbered(MIGRATIONS).items()):
        if step > version(connection):
            connection.execute(file.read_text(encoding="utf-8")).fetchall()
            pragma(connection, "user_version", step)
    pragma(connection, "application_id", APPLICATION_ID)


def _refuse_newer(connection: apsw.Connection, path: str) -> None:
    found = version(connection)
    if found <= LATEST:
        return
    rows = connection.execute("SELECT value FROM meta WHERE name = 'oldest_code'").fetchall()
    oldest = int(str(rows[0][0]))
    if oldest > LATEST:
        raise SchemaTooNew(
            f"{path} has schema {found}, written by a newer release; this one knows schema {LATEST}: update segue "
            f"on this machine (code from schema {oldest} on may work with the file)"
        )
