"""What a handler is given, and the row of the route table that leads to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec

from segue.engine import Engine

Permission = Literal[
    "public", "runs:read", "runs:start", "runs:act", "tasks:read", "tasks:act", "schedules:read", "schedules:act",
    "schedules:write", "system:read",
]  # fmt: skip
"""What somebody may do. ``public``: nobody needs to be known. ``schedules:act`` pauses, triggers and fills in;
``schedules:write`` makes, changes and deletes."""

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

Number = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
"""A run, a place in a journal, a time: what JSON, browsers and every database can hold."""

Q = TypeVar("Q")
B = TypeVar("B")


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No query parameters."""


class Principal(msgspec.Struct, frozen=True):
    """Who asks.

    Attributes:
        name: as it is kept with what they do.
        may: their permissions.
    """

    name: str
    may: frozenset[str]


class Call(Generic[Q, B]):
    """One request, decoded and allowed.

    Attributes:
        engine: where the runs are.
        who: who asks.
        path: the parts of the path that vary.
        query, body: decoded to the types that the route names.
    """

    def __init__(self, engine: Engine, who: Principal, path: dict[str, Any], query: Q, body: B) -> None:
        self.engine = engine
        self.who = who
        self.path = path
        self.query = query
        self.body = body


Handler = Callable[[Call[Any, Any]], Any]
"""A coroutine function that gives the answer, or an async generator of ``live.Sent`` where the route streams."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be asked.

    Attributes:
        method, path: exact; parts in braces vary, and name their type: ``{run:int}``.
        needs: the permission.
        handler: answers with ``gives``.
        summary: one sentence for the documentation.
        query, body, gives: types; a body of None is no body, a ``gives`` of None answers 204.
        stream: the answer is a stream of server-sent events of ``gives``.
    """

    method: Method
    path: str
    needs: Permission
    handler: Handler
    summary: str
    query: Any = Nothing
    body: Any = None
    gives: Any = None
    status: int = 200
    stream: bool = False
