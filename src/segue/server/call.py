"""What a handler is given, and the row of the route table that leads to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, Protocol, TypeVar

import msgspec

from segue.engine import Engine

if TYPE_CHECKING:
    from segue.server.accounts import Accounts
    from segue.server.logins import Logins

Permission = Literal[
    "public", "known", "runs:read", "runs:start", "runs:act", "steps:work", "tasks:read", "tasks:act", "schedules:read",
    "schedules:act", "schedules:write", "system:read", "metrics:read", "access:read", "access:act",
]  # fmt: skip
"""What somebody may do. ``public``: nobody needs to be known; ``known``: somebody has to be. ``schedules:act`` pauses,
triggers and fills in; ``schedules:write`` makes, changes and deletes. ``steps:work`` serves queues. ``metrics:read`` is
what Prometheus has; ``access`` is users, keys, the audit log, and what is said of a namespace."""

NAMESPACE = "namespace"
"""The parameter of every address, of the API and of the dashboard, that names the namespace; without it, the server's.
"""

Limit = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
"""How many things are wanted; fewer may come."""

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

Number = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
"""A run, a place in a journal, a time: what JSON, browsers and every database can hold."""


class Access(Protocol):
    """Finds out who asks."""

    @property
    def login(self) -> bool:
        """Whether somebody who is not known can log in."""

    async def principal(self, asked: Asked) -> Principal | None:
        """Who asks, None if that is not known.

        Raises:
            Refused: they ask too often, or another site's page asks in their name.
        """


Q = TypeVar("Q")
B = TypeVar("B")


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No query parameters."""


class Text(msgspec.Struct, frozen=True):
    """An answer that is no JSON, whole or piece by piece."""

    body: bytes | AsyncIterator[bytes]
    media_type: str


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks.

    Attributes:
        name: as it is kept with what they do.
        may: their permissions.
        user: whose account it is, "" if it is none.
        everywhere: they know of every namespace.
        may_everywhere: what they may do in each of them.
        reach: the namespaces that they have a role in, if it is not everywhere. They know of no other.
        tends: those in which they look after access, if it is not everywhere.
        session: what their browser keeps, "" if they did not log in.
    """

    name: str
    may: frozenset[str]
    user: str = ""
    everywhere: bool = False
    may_everywhere: frozenset[str] = frozenset()
    reach: frozenset[str] = frozenset()
    tends: frozenset[str] = frozenset()
    session: str = ""

    @property
    def person(self) -> str:
        """Who that is among people: one and the same whether they log in, or a program of theirs sends a key."""
        return self.user or self.name


class Asked(msgspec.Struct, frozen=True):
    """A request as far as it tells who asks.

    Attributes:
        path: without what a proxy puts before it.
        headers: names in lower case.
        address: from where, "" if that is not known.
        secure: over HTTPS.
        base: the path that a proxy, or a setting, puts before everything.
        namespace: the one that is named, "" for the server's own.
        version: of HTTP.
    """

    method: str
    path: str
    headers: dict[str, str]
    address: str
    secure: bool = False
    base: str = ""
    namespace: str = ""
    version: str = "1.1"


class Call(Generic[Q, B]):
    """One request, decoded and allowed.

    Attributes:
        engine: where the runs are, within the namespace of the request.
        who: who asks.
        path: the parts of the path that vary.
        query, body: decoded to the types that the route names.
        logins: logs people in and out; it knows who may do what.
        asked: the request.
        actor: who is named in the audit log; who asks, unless a handler knows better.
        cookies: what the answer has the browser keep.
        etag: the answer's entity tag, "" for none.
        status: of the answer, where a handler knows better than the route.
        once: the same for every repetition of the request under its idempotency key, "" if it has none.
    """

    def __init__(
        self, engine: Engine, logins: Logins | None, asked: Asked, who: Principal, path: dict[str, Any], query: Q,
        body: B, once: str = "",
    ) -> None:  # fmt: skip
        self.engine = engine
        self._logins = logins
        self.asked = asked
        self.who = who
        self.path = path
        self.query = query
        self.body = body
        self.once = once
        self.actor = who.name
        self.cookies: list[str] = []
        self.etag = ""
        self.status: int | None = None

    @property
    def logins(self) -> Logins:
        assert self._logins is not None, "who may do what is asked of a server only"
        return self._logins

    @property
    def access(self) -> Access:
        return self.logins.access

    @property
    def accounts(self) -> Accounts:
        return self.logins.accounts


Handler = Callable[[Call[Any, Any]], Any]
Follow = Callable[[Any], Coroutine[Any, Any, Any]]
"""A coroutine function that gives the answer, or an async generator of ``live.Sent`` where the route streams."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be asked.

    Attributes:
        method, path: exact; parts in braces vary, and name their type: ``{run:int}``, ``{name:path}`` with slashes.
        needs: the permission.
        handler: answers with ``gives``.
        summary: one sentence for the documentation.
        query, body, gives: types; a body of None is no body, a ``gives`` of None answers 204.
        stream: the answer is a stream of server-sent events of ``gives``.
        text: the media type of an answer that is ``Text``, as far as the description of the API tells it.
        noted: it stands in the audit log; by default what needs more than a permission to look.
        then: gives what follows, if anything does, also where an idempotency key has the answer be that of an earlier
            request: it is handed the answer, and gives another one. It is given up when whoever asks goes away.
        version: gives the answer's entity tag before it is made, "" for none; who has the answer is not sent it (304).
        within: the part of the path that names the namespace that it is about; it has no parameter for it then.
        also: other statuses of an answer of this type, with what they mean.
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
    text: str = ""
    noted: bool | None = None
    then: Callable[[Call[Any, Any]], Follow | None] | None = None
    version: Callable[[Call[Any, Any]], str] | None = None
    within: str = ""
    also: dict[int, str] = {}

    @property
    def repeatable(self) -> bool:
        """Whether it hears an idempotency key. Where passwords and keys pass through, nothing is kept of them."""
        return self.method != "GET" and self.needs not in ("public", "known", "access:act")

    @property
    def audited(self) -> bool:
        looks = self.needs.endswith(":read") or self.needs in ("public", "known")
        return not looks if self.noted is None else self.noted
