"""Which namespaces there are, who may know of them, and the engine within the one that a request is for.

There is no table of them: a namespace is there once somebody has a role in it, or a run or schedule is in it
(docs/adr/0034). Whoever has no role in one is told the same whether it is there or not.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from segue.engine import Engine
from segue.server.accounts import EVERYWHERE
from segue.server.call import NAMESPACE, Asked, Call, Principal
from segue.server.problems import Refused
from segue.within import whole_of, within

MOST = 1_000
"""Namespaces that are listed; of more, the first."""
COUNTED = 10_000
"""How far open runs of a namespace are counted."""
_NAMED = 20
"""Names in the text of a refusal."""
_KNOWN = 10_000
"""Namespaces that are told from what is none, and names of which it is remembered that they are there."""


class NamespaceView(msgspec.Struct, frozen=True):
    """How many of its runs are open, and how many of these stand still on an incident."""

    name: str
    open: int
    incidents: int


class NamespaceList(msgspec.Struct, frozen=True):
    """Namespaces that whoever asks has a role in, by name; ``own`` is that of requests that name none. Counts end at
    ``most``."""

    namespaces: list[NamespaceView]
    own: str
    most: int
    now: int


async def list_namespaces(call: Call[Any, None]) -> NamespaceList:
    engine = call.engine
    names = await asyncio.to_thread(visible, engine, call.who)
    counts = await asyncio.to_thread(engine.store.count_open_in, names, most=COUNTED)
    views = [
        NamespaceView(name, min(COUNTED, sum(by_state.values())), by_state["incident"])
        for name, by_state in counts.items()
    ]
    return NamespaceList(views, whole_of(engine).namespace, COUNTED, engine.clock.now())


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
        names = await asyncio.to_thread(visible, self._engine, who)
        there = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
        raise Refused(
            404, "namespace-not-found", "Namespace not found",
            f"there is no namespace {name!r} in which {who.name} has a role (there are: {there or 'none'})",
            f"$.{NAMESPACE}",
        )  # fmt: skip

    async def _exists(self, name: str) -> bool:
        """Looked up once: one that empties again is an empty list, which harms nobody."""
        if name not in self._known and name in await asyncio.to_thread(_there_are, self._engine, _KNOWN):
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known.add(name)
        return name in self._known
