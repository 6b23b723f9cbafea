"""Whoever answers what the API answers: a server (``client.ServerClient``), or a database that is opened here.

Who asks through this narrow place is written once, and gets the same from either.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from segue.engine import Engine
from segue.server.call import Asked, Call, Nothing, Principal

Q = TypeVar("Q")
B = TypeVar("B")
G = TypeVar("G")


class Answers(Protocol):
    """What can be asked."""

    async def ask(
        self,
        handler: Callable[[Call[Q, B]], Awaitable[G]],
        *,
        query: Q | None = None,
        body: B | None = None,
        key: str = "",
        **path: Any,
    ) -> G:
        """What a handler of the route table answers.

        Args:
            query, body: as the handler takes them.
            key: an idempotency key.
            path: the parts of the path that vary.

        Raises:
            SegueError: it will not, or cannot; the text says what to do.
        """


class Here:
    """An engine that is opened here, asked without a server.

    Args:
        by: who is named as the actor; nobody by default.
    """

    def __init__(self, engine: Engine, *, by: str = "") -> None:
        self.engine = engine
        self._who = Principal(name=by, may=frozenset(), everywhere=True)

    async def ask(
        self,
        handler: Callable[[Call[Q, B]], Awaitable[G]],
        *,
        query: Q | None = None,
        body: B | None = None,
        key: str = "",
        **path: Any,
    ) -> G:
        asked = Asked("", "", {}, "")
        return await handler(Call(self.engine, None, asked, self._who, path, query or Nothing(), body, key))  # type: ignore[arg-type]
