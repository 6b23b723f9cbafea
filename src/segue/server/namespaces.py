"""Which namespaces there are, who may know of them, and the engine within the one that a request is for.

A namespace is there once somebody has a role in it, a run or schedule is in it, or something is said of it
(docs/adr/0034). Whoever has no role in one is told the same whether it is there or not.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import msgspec

from segue.client.describing import LONGEST, NamespaceInfo, info_of
from segue.engine import Engine
from segue.runtime.beside import beside
from segue.runtime.keeping import RetentionRule, told
from segue.server.accounts import EVERYWHERE
from segue.server.call import NAMESPACE, Asked, Call, Principal
from segue.server.etags import etag, refuse_unless_seen
from segue.server.problems import Refused
from segue.server.within import whole_of, within
from segue.stores.namespace_rows import NamespaceRow

MOST = 1_000
"""Namespaces that are listed; of more, the first."""
COUNTED = 10_000
"""How far open runs of a namespace are counted."""
_NAMED = 20
"""Names in the text of a refusal."""
_KNOWN = 10_000
"""Namespaces that are told from what is none, and names of which it is remembered that they are there."""


class NamespaceView(msgspec.Struct, frozen=True):
    """A namespace.

    Attributes:
        description: what it is for, "" if nobody has said.
        retention: how long its runs are kept after their end: by these rules, for ever without one, and null for as
            long as the settings say of whoever owns them.
        open: how many of its runs are open. incidents: how many of these stand still on an incident.
        may_change: whoever asks may say otherwise what it is for and how long its runs are kept.
        etag: names what is said of it, as it is: for ``If-Match``.
    """

    name: str
    description: str
    retention: list[RetentionRule] | None
    open: int
    incidents: int
    may_change: bool
    etag: str


class NamespaceList(msgspec.Struct, frozen=True):
    """Namespaces that whoever asks has a role in, by name; ``own`` is that of requests that name none. Counts end at
    ``most``. ``retention``: the rules in the settings of the process that answers."""

    namespaces: list[NamespaceView]
    own: str
    retention: list[RetentionRule]
    most: int
    now: int


class NamespaceChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be otherwise; what is left out stays as it is. ``retention``: ``"30d"`` for all runs, or rules; an
    empty list keeps them for ever, null has the settings say."""

    description: Annotated[str, msgspec.Meta(max_length=LONGEST)] | msgspec.UnsetType = msgspec.UNSET
    retention: list[RetentionRule] | str | msgspec.UnsetType | None = msgspec.UNSET


async def list_namespaces(call: Call[Any, None]) -> NamespaceList:
    engine = call.engine
    names = await beside(visible, engine, call.who)
    views = await beside(_views, call, names)
    rules = told(engine.settings.retention)
    return NamespaceList(views, whole_of(engine).namespace, rules, COUNTED, engine.clock.now())


async def change_namespace(call: Call[Any, NamespaceChange]) -> NamespaceView:
    name, body = call.path["name"], call.body
    check = partial(_check_seen, call.asked.headers)
    await call.engine.describe_namespace(name, description=body.description, retention=body.retention, check=check)
    view = (await beside(_views, call, [name]))[0]
    call.etag = view.etag
    return view


def _check_seen(headers: dict[str, str], said: NamespaceInfo) -> None:
    refuse_unless_seen(headers, _etag(said), f"namespace {said.name!r}")


def _etag(said: NamespaceInfo) -> str:
    return etag(said.name, said.description, _rules(said))


def _rules(said: NamespaceInfo) -> list[RetentionRule] | None:
    return None if said.retention is None else told(said.retention)


def _views(call: Call[Any, Any], names: list[str]) -> list[NamespaceView]:
    store, who = call.engine.store, call.who
    everywhere = "access:act" in who.may_everywhere
    counts = store.count_open_in(names, most=COUNTED)
    said = {row.name: row for row in store.described.list()}
    views = []
    for name in names:
        info = info_of(said.get(name) or NamespaceRow(name))
        is_open = min(COUNTED, sum(counts[name].values()))
        views.append(
            NamespaceView(
                name, info.description, _rules(info), is_open, counts[name]["incident"],
                everywhere or name in who.tends, _etag(info),
            )
        )  # fmt: skip
    return views


def visible(engine: Engine, who: Principal) -> list[str]:
    """The namespaces that somebody has a role in."""
    if not who.everywhere:
        return sorted(who.reach)
    return sorted(_there_are(engine, MOST))[:MOST]


def _there_are(engine: Engine, most: int) -> set[str]:
    roles = {name for user in engine.store.accounts.list_users() for name in user.roles} - {EVERYWHERE}
    return {whole_of(engine).namespace, *roles, *engine.store.namespaces(most=most)}


class Namespaces:
    """Leads a request to its namespace."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: set[str] = set()

    async def engine(self, who: Principal, asked: Asked) -> Engine:
        """The engine within the namespace that is asked for.

        Raises:
            Refused: there is none of the name in which they have a role.
        """
        name = asked.namespace or self._engine.namespace
        # The server's own is no secret: it tells its name to everybody.
        if name == self._engine.namespace or (await self._exists(name) if who.everywhere else name in who.reach):
            return within(self._engine, name)
        names = await beside(visible, self._engine, who)
        there = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
        raise Refused(
            404, "namespace-not-found", "Namespace not found",
            f"there is no namespace {name!r} in which {who.name} has a role (there are: {there or 'none'})",
            f"$.{NAMESPACE}",
        )  # fmt: skip

    async def _exists(self, name: str) -> bool:
        """Looked up once: one that empties again is an empty list, which harms nobody."""
        if name not in self._known and name in await beside(_there_are, self._engine, _KNOWN):
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known.add(name)
        return name in self._known
