"""What the code of a transactional step may do on the writer's connection: everything with its own tables, and nothing
with segue's.

SQLite asks while it compiles a statement (``sqlite3_set_authorizer``). The guard is installed when the first such step
comes and stays; statements of segue's own are compiled while it is asleep. Statements of a step are never kept
compiled, so that each is asked about.
"""

from __future__ import annotations

from functools import cache

import apsw

from segue.stores.sqlite.migrations import MIGRATIONS

OUTBOX = "segue_outbox"
RESERVED = "segue_"
"""How the names begin of tables that segue may add in a later release."""

_SCHEMA = frozenset({"sqlite_master", "sqlite_schema"})
_LOOKS = frozenset(
    {
        "data_version",
        "foreign_key_check",
        "foreign_key_list",
        "index_info",
        "index_list",
        "table_info",
        "table_list",
        "table_xinfo",
    }
)
"""Pragmas that only look."""
_FORBIDDEN = {
    apsw.SQLITE_TRANSACTION: "begin, commit or roll back: it commits by returning and rolls back by raising",
    apsw.SQLITE_SAVEPOINT: "set savepoints: it rolls back as a whole, by raising",
    apsw.SQLITE_ATTACH: "attach a database: what it writes there would not be committed with its outcome",
    apsw.SQLITE_DETACH: "detach a database",
    **dict.fromkeys(
        (
            apsw.SQLITE_CREATE_TEMP_TABLE,
            apsw.SQLITE_CREATE_TEMP_INDEX,
            apsw.SQLITE_CREATE_TEMP_TRIGGER,
            apsw.SQLITE_CREATE_TEMP_VIEW,
        ),
        "make temporary tables, views or triggers: they would outlive the step on segue's connection",
    ),
}
_CREATES = frozenset(
    {apsw.SQLITE_CREATE_TABLE, apsw.SQLITE_CREATE_INDEX, apsw.SQLITE_CREATE_VIEW, apsw.SQLITE_CREATE_TRIGGER}
)
_WRITES = {apsw.SQLITE_INSERT: "write to", apsw.SQLITE_UPDATE: "change", apsw.SQLITE_DELETE: "delete from"}


class Guard:
    """An authorizer; see ``sqlite3_set_authorizer`` for what its parameters mean.

    Attributes:
        awake: a step's code is at work.
        refused: what it was refused, as the rest of a sentence, if anything was.
        outbox: it has written to the outbox.
    """

    def __init__(self) -> None:
        self.awake = False
        self.refused = ""
        self.outbox = False

    @classmethod
    def of(cls, connection: apsw.Connection) -> Guard:
        """The guard of a connection."""
        found = connection.authorizer
        if not isinstance(found, Guard):
            found = connection.authorizer = cls()
        return found

    def __call__(
        self, action: int, first: str | None, second: str | None, database: str | None, inner: str | None
    ) -> int:
        if not self.awake:
            return apsw.SQLITE_OK
        why = _why_not(action, first or "", second or "")
        if why:
            self.refused = self.refused or why
            return apsw.SQLITE_DENY
        self.outbox |= action == apsw.SQLITE_INSERT and first == OUTBOX
        return apsw.SQLITE_OK


def _why_not(action: int, first: str, second: str) -> str:
    """What a step may not do, or nothing."""
    if action in _FORBIDDEN:
        return _FORBIDDEN[action]
    if action == apsw.SQLITE_PRAGMA:
        return "" if first.lower() in _LOOKS else f"set PRAGMA {first}"
    if action == apsw.SQLITE_FUNCTION:
        return f"call {second}()" if second.lower() == "load_extension" else ""
    if action == apsw.SQLITE_READ:
        return _read(first.lower())
    if action in _WRITES:
        return _write(action, first.lower())
    if action in _CREATES and first.lower().startswith(RESERVED):
        return f"make {first!r}: names that begin with {RESERVED!r} are segue's"
    named = next((name for name in (first, second) if name.lower() in own_names()), None)
    return f"change the schema of {named!r}, which is segue's own" if named else ""


def _read(table: str) -> str:
    if table == OUTBOX or table not in own_names():
        return f"read {table!r}" if table in ("sqlite_dbpage", "dbstat") else ""
    return f"read {table!r}, which is segue's own"


def _write(action: int, table: str) -> str:
    if (table == OUTBOX and action == apsw.SQLITE_INSERT) or table in _SCHEMA:
        return ""  # the schema itself is written by CREATE and the like only: SQLite sees to that
    if table in own_names() or table.startswith("sqlite_"):
        return f"{_WRITES[action]} {table!r}, which is segue's own"
    return ""


@cache
def own_names() -> frozenset[str]:
    """Tables and indexes of this release's schema."""
    connection = apsw.Connection(":memory:")
    try:
        for file in sorted(MIGRATIONS.glob("*.sql")):
            connection.execute(file.read_text(encoding="utf-8")).fetchall()
        names = connection.execute("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'").fetchall()
        return frozenset(str(name).lower() for (name,) in names)
    finally:
        connection.close()
