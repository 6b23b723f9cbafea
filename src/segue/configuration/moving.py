"""Moves a database from a file to PostgreSQL, with its open runs.

Nobody may be at work on the file meanwhile. All of it goes over in one transaction; then the file is put aside under
another name, so that no run goes on twice.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from segue.configuration.settings import is_postgres, sqlite_path
from segue.errors import InvalidArgument, StoreUnavailable
from segue.stores.owning import SLOTS
from segue.stores.sqlite.store import SqliteStore

Row = tuple[Any, ...]
ASIDE = ".moved"


class _Table(NamedTuple):
    """A table: its name there and here, its columns, and what becomes of a row on the way."""

    source: str
    target: str
    columns: str
    change: Callable[[Row], Row] = tuple


def _with_slot(row: Row) -> Row:
    return (*row, random.randrange(SLOTS))


def _last_as_boolean(row: Row) -> Row:
    return (*row[:-1], bool(row[-1]))


_RUN = (
    "run, namespace, id, uid, app, workflow, version, state, wake, started_at, changed_at, closed_at, parent, error, "
    "input_hash, tags, superseded, chain, summary, timer, awaits"
)
TABLES = (
    _Table("runs", "runs", _RUN, _with_slot),
    _Table("journal", "journal", "run, seq, event"),
    _Table("inbox", "inbox", "row, run, kind, message, at, body"),
    _Table("messages", "messages", "chain, message, run"),
    _Table(
        "attempts", "attempts",
        "run, key, name, attempt, at, details, queue, seq, timeout, close_by, claim, lease, began, worker, returned, "
        "handed_over",
        _last_as_boolean,
    ),
    _Table("held_steps", "held_steps", "app, namespace, step, state, at, by, reason"),
    _Table(
        "tasks", "tasks",
        "task, run, namespace, key, name, assignee, state, opened_at, due, form, subject, closed_at, closed_by, "
        "outcome, claimed_by, claimed_at",
    ),
    _Table("task_notes", "task_notes", "note, run, task, at, actor, kind, text"),
    _Table("attributes", "attributes", "run, name, value"),
    _Table("words", "words", "namespace, word, run"),
    _Table("published", "published", "run, name, value"),
    _Table("state", "state", "namespace, scope, key, value"),
    _Table("payloads", "payloads", "ref, place, data, size"),
    _Table("leftovers", "leftovers", "place, since"),
    _Table("payload_refs", "payload_refs", "run, ref"),
    _Table(
        "schedules", "schedules", "namespace, name, backfill, app, workflow, revision, wake, plan, standing, waits",
        _last_as_boolean,
    ),
    _Table("segue_outbox", "outbox", "row, workflow, input, id, tags, namespace, app, uid, error"),
    _Table("cached", "cached", "namespace, step, key, run, seq, at, expires"),
    _Table("artifacts", "artifacts", "run, name, value"),
    _Table("namespaces", "namespaces", "name, description, retention"),
    _Table("segue_users", "users", "name, password, roles, subject, created_at"),
    _Table(
        "segue_keys", "api_keys",
        "id, digest, owner, label, namespace, permissions, created_at, expires_at, revoked_at",
    ),
    _Table("segue_sessions", "sessions", "digest, owner, created_at, expires_at"),
    _Table("segue_audit", "audit", "entry, at, namespace, actor, action, target, outcome, address, request"),
    _Table("segue_answers", "answers", "namespace, actor, key, request, at, status, body"),
)  # fmt: skip
_LOG = _Table("lines", "log_lines", "run, key, attempt, at, level, stream, text")
_NUMBERED = {"runs": "run", "inbox": "row", "tasks": "task", "task_notes": "note", "outbox": "row", "audit": "entry"}
"""Tables whose numbers go on after those that came over."""


def move(source: str, target: str) -> dict[str, int]:
    """Moves everything; how many rows each table had.

    Args:
        source: the URL of a file. target: the URL of a PostgreSQL database that holds no runs.

    Raises:
        InvalidArgument: the URLs name something else, or there are runs in the target.
        StoreUnavailable: somebody is at work on the file, or one of the two cannot be reached; nothing was moved.
    """
    if is_postgres(source) or not is_postgres(target):
        raise InvalidArgument("runs are moved from a file (sqlite:///…) to a PostgreSQL database (postgresql://…)")
    path = sqlite_path(source)
    if not path.exists():
        raise StoreUnavailable(f"there is no database {path}")
    file = SqliteStore.open(path)
    try:
        _own_all(file)
        moved = _copy_to(target, file)
    finally:
        file.close()
    for suffix in ("", "-wal", "-shm"):
        if Path(f"{path}{suffix}").exists():
            os.replace(f"{path}{suffix}", f"{path}{ASIDE}{suffix}")
    return moved


def _own_all(file: SqliteStore) -> None:
    """Keeps every engine from beginning to work meanwhile."""
    apps = {app for (app,) in file.raw_rows("SELECT DISTINCT app FROM runs UNION SELECT app FROM owners")}
    for app in apps:
        if file.own(app, "segue db move") is None:
            owner = file.owner(app)
            who = owner.worker if owner else "another process"
            raise StoreUnavailable(f"{who} is at work on the runs of app {app!r}; end it first")


def _copy_to(target: str, file: SqliteStore) -> dict[str, int]:
    from segue.stores.postgres.store import PostgresStore

    database = PostgresStore.open(target)
    try:
        with database.raw_transaction() as connection:
            for table in TABLES:
                if connection.execute(f"SELECT 1 FROM segue.{table.target} LIMIT 1".encode()).fetchall():
                    raise InvalidArgument(
                        f"there is something in {database.address.shown} already (table {table.target}); name an empty "
                        "database"
                    )
            moved = {each.target: _copy(connection, each, _rows(file, each)) for each in TABLES}
            moved[_LOG.target] = _copy(connection, _LOG, _log_lines(file))
            for name, column in _NUMBERED.items():
                connection.execute(
                    f"SELECT setval(pg_get_serial_sequence('segue.{name}', '{column}'), "
                    f"(SELECT coalesce(max({column}), 0) + 1 FROM segue.{name}), false)".encode()
                )
            _count(connection, [name for name, rows in moved.items() if rows])
        return moved
    finally:
        database.close()


def _count(connection: Any, tables: list[str]) -> None:
    """Has the planner know what is in them from the first query on, and not only when autovacuum has come by.

    It never comes by the parents of partitions. Needs no right but that of whoever made the tables; the tables of
    another role are left to their statistics by the server, with a warning.
    """
    if tables:
        connection.execute(f"ANALYZE {', '.join(f'segue.{name}' for name in tables)}".encode())


def _rows(file: SqliteStore, table: _Table) -> Iterator[Row]:
    return map(table.change, file.raw_rows(f"SELECT {table.columns} FROM {table.source}"))


def _log_lines(file: SqliteStore) -> Iterator[Row]:
    """What steps printed; where it cannot be read, there is none, as always with logs."""
    path = file.logs.path
    if not os.path.exists(path):
        return
    try:
        connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)
        for row in connection.execute(f"SELECT {_LOG.columns} FROM lines ORDER BY row"):
            yield (*row[:-1], str(row[-1]).replace("\0", "\\0"))
        connection.close()
    except apsw.Error:
        return


def _copy(connection: Any, table: _Table, rows: Iterator[Row]) -> int:
    columns = table.columns + (", slot" if table.target == "runs" else "")
    count = 0
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY segue.{table.target} ({columns}) FROM STDIN".encode()) as copy,
    ):
        for row in rows:
            copy.write_row(row)
            count += 1
    return count
