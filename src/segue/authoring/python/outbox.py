"""Starting a workflow inside a transaction of the user's own: it runs if the transaction commits, and never otherwise.

A row in the table ``segue_outbox`` (PostgreSQL: ``segue.outbox``) is all there is to it; programs in other languages
write it themselves (docs/transactions.md). The owner of the app's runs makes a run of each row, once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar, overload

import msgspec

from segue.authoring.python.definitions import Workflow
from segue.authoring.python.execution import current
from segue.errors import InvalidArgument, NotInWorkflow, PayloadError
from segue.kernel.encoding import Encodings
from segue.kernel.names import checked_id, checked_name
from segue.kernel.secret import current_scope

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
Coro = Coroutine[Any, Any, Any]

COLUMNS = ("workflow", "input", "id", "tags", "namespace", "app", "uid")
_TABLES = {"sqlite": "segue_outbox", "postgresql": "segue.outbox"}

_encodings = Encodings(
    otherwise="pass where it is kept: a row of the outbox holds what JSON does, and knows no encodings"
)


class Connection(Protocol):
    """What a row can be written with: a connection of ``sqlite3``, ``apsw`` or ``psycopg``, a session or connection of
    SQLAlchemy, or a step's ``Transaction``."""

    def execute(self, sql: Any, parameters: Any, /) -> Any: ...


class Outbox:
    """``segue.outbox``: ``outbox.start(connection, fulfil, order, id="order-42")``."""

    @overload
    def start(
        self, connection: Connection, workflow: Callable[[], Coro], /, *,
        id: str | None = ..., tags: dict[str, str] | None = ..., app: str | None = ..., namespace: str | None = ...,
    ) -> str: ...  # fmt: skip
    @overload
    def start(
        self, connection: Connection, workflow: Callable[[A], Coro], a: A, /, *,
        id: str | None = ..., tags: dict[str, str] | None = ..., app: str | None = ..., namespace: str | None = ...,
    ) -> str: ...  # fmt: skip
    @overload
    def start(
        self, connection: Connection, workflow: Callable[[A, B], Coro], a: A, b: B, /, *,
        id: str | None = ..., tags: dict[str, str] | None = ..., app: str | None = ..., namespace: str | None = ...,
    ) -> str: ...  # fmt: skip
    @overload
    def start(
        self, connection: Connection, workflow: Callable[[A, B, C], Coro], a: A, b: B, c: C, /, *,
        id: str | None = ..., tags: dict[str, str] | None = ..., app: str | None = ..., namespace: str | None = ...,
    ) -> str: ...  # fmt: skip
    @overload
    def start(
        self, connection: Connection, workflow: Callable[[A, B, C, D], Coro], a: A, b: B, c: C, d: D, /, *,
        id: str | None = ..., tags: dict[str, str] | None = ..., app: str | None = ..., namespace: str | None = ...,
    ) -> str: ...  # fmt: skip
    @overload
    def start(
        self, connection: Connection, workflow: str, /, *args: Any,
        id: str | None = ..., tags: dict[str, str] | None = ..., app: str | None = ..., namespace: str | None = ...,
    ) -> str: ...  # fmt: skip
    def start(
        self,
        connection: Connection,
        workflow: Any,
        /,
        *args: Any,
        id: str | None = None,
        tags: dict[str, str] | None = None,
        app: str | None = None,
        namespace: str | None = None,
    ) -> str:
        """Has a run started when the connection's transaction commits; the run's id.

        Args:
            connection: to the engine's database, in a transaction of yours, which you commit.
            workflow: a workflow, or the name of one.
            id: as for ``Engine.start``: the same id with the same input is the same run.
            app, namespace: ``SEGUE_APP`` and ``SEGUE_NAMESPACE`` by default, then ``default``.

        Raises:
            InvalidArgument: the arguments do not fit the workflow.
            PayloadError: one of them cannot be written as JSON, or contains the value of a secret of this step.
            NotInWorkflow: called in a workflow, which calls the other one instead.
        """
        if current() is not None:
            raise NotInWorkflow(
                "outbox.start() belongs into a step or another program; a workflow awaits the other one"
            )
        name = workflow.name if isinstance(workflow, Workflow) else workflow
        if not isinstance(name, str):
            raise InvalidArgument(f"{workflow!r} is no workflow, nor the name of one; decorate it with @workflow")
        if isinstance(workflow, Workflow):
            workflow.bind(_encodings).call_site.bind(args, {})
        uid = os.urandom(16).hex()
        input, labels = bytes(_encodings.encode(args).data).decode(), msgspec.json.encode(_tags(tags)).decode()
        scope = current_scope()
        if scope is not None and scope.leaks(f"{input} {labels} {id}".encode()):
            raise PayloadError(
                f"what {name!r} would be started with contains the value of a secret; pass its SecretRef"
            )
        namespace = namespace or os.environ.get("SEGUE_NAMESPACE") or "default"
        app = app or os.environ.get("SEGUE_APP") or "default"
        known = uid if id is None else checked_id(id, "a run's id")
        _write(connection, (name, input, known, labels, namespace, app, uid))
        return known


def _write(connection: Any, row: tuple[str, ...]) -> None:
    """Writes the row, in the words of whoever made the connection."""
    maker = type(connection).__module__.partition(".")[0]
    if maker == "sqlalchemy":
        from sqlalchemy import text

        dialect = getattr(connection, "dialect", None) or connection.get_bind().dialect
        statement = _insert(dialect.name, [f":{column}" for column in COLUMNS])
        connection.execute(text(statement), dict(zip(COLUMNS, row, strict=True)))
    elif maker == "psycopg":
        connection.execute(_insert("postgresql", ["%s"] * len(row)), row)
    else:
        connection.execute(_insert(getattr(connection, "dialect", "sqlite"), ["?"] * len(row)), row)


def _insert(dialect: str, places: list[str]) -> str:
    if dialect not in _TABLES:
        raise InvalidArgument(
            f"there is no outbox in a database of {dialect}; segue keeps runs in SQLite and PostgreSQL"
        )
    if dialect == "postgresql":
        kinds = ["jsonb" if column in ("input", "tags") else "text" for column in COLUMNS]
        places = [f"CAST({place} AS {kind})" for place, kind in zip(places, kinds, strict=True)]
    return f"INSERT INTO {_TABLES[dialect]} ({', '.join(COLUMNS)}) VALUES ({', '.join(places)})"


def _tags(tags: dict[str, str] | None) -> dict[str, str]:
    return {checked_name(tag, "a tag"): checked_name(value, f"tag {tag!r}") for tag, value in (tags or {}).items()}


outbox = Outbox()
