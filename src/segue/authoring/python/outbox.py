"""Starting a workflow inside a transaction of the user's own: it runs if the transaction commits, and never otherwise.

A row in the table ``segue_outbox`` is all there is to it; programs in other languages write it themselves
(docs/transactions.md). The owner of the app's runs makes a run of each row, once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar, overload

import msgspec

from segue.authoring.python.definitions import Workflow
from segue.authoring.python.execution import current
from segue.errors import InvalidArgument, NotInWorkflow
from segue.kernel.encoding import Encodings
from segue.kernel.names import checked_name

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
Coro = Coroutine[Any, Any, Any]

INSERT = (
    "INSERT INTO segue_outbox (workflow, input, id, tags, namespace, app, uid) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)  # fmt: skip

_encodings = Encodings()


class Connection(Protocol):
    """What a row can be written with: a connection of ``sqlite3`` or ``apsw``, or a step's ``Transaction``."""

    def execute(self, sql: str, parameters: Any, /) -> Any: ...


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
            PayloadError: one of them cannot be written as JSON.
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
        namespace = namespace or os.environ.get("SEGUE_NAMESPACE") or "default"
        app = app or os.environ.get("SEGUE_APP") or "default"
        row = (name, input, checked_name(id or uid, "a run's id"), labels, namespace, app, uid)
        connection.execute(INSERT, row)
        return id or uid


def _tags(tags: dict[str, str] | None) -> dict[str, str]:
    for tag, value in (tags or {}).items():
        checked_name(tag, "a tag")
        checked_name(value, f"tag {tag!r}")
    return tags or {}


outbox = Outbox()
