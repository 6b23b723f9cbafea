"""Which owner has which runs, where several share an app's.

A separate file from ``stores.base`` because only the runtime's tending has to do with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import msgspec

from segue.kernel.ramp import Ramp

if TYPE_CHECKING:
    from segue.stores.base import Fence

SLOTS = 16_384
"""Every run is in one of so many slots, for as long as it lives; ownership is of slots."""


class Slots(msgspec.Struct, frozen=True, gc=False):
    """Slots from ``low`` to ``high``, both included. ``clean``: the last owner gave them back, and did not end without
    a word."""

    low: int
    high: int
    clean: bool = True


def within(slots: Iterable[Slots], slot: int) -> Slots | None:
    """Those of the slots that this one is among."""
    return next((each for each in slots if each.low <= slot <= each.high), None)


def without(slots: Iterable[Slots], taken: Iterable[Slots]) -> tuple[Slots, ...]:
    """The slots that are among none of the others."""
    left = list(slots)
    for other in taken:
        parts: list[Slots] = []
        for each in left:
            if other.high < each.low or each.high < other.low:
                parts.append(each)
                continue
            if each.low < other.low:
                parts.append(Slots(each.low, other.low - 1, each.clean))
            if other.high < each.high:
                parts.append(Slots(other.high + 1, each.high, each.clean))
        left = parts
    return tuple(left)


NO_RAMPS: Mapping[str, Ramp] = MappingProxyType({})


class Owner(msgspec.Struct, frozen=True, gc=False):
    """Who owns an app's runs: a worker, and the workflows that it has code for, each with its version, and with the one
    that it ramps up beside that."""

    worker: str
    serves: dict[str, str] = {}
    ramps: dict[str, Ramp] = {}

    def version(self, workflow: str, id: str) -> str:
        """What a new run with this id gets; empty where there is no code for it."""
        return version_of(self, workflow, id)


class Served(msgspec.Struct, frozen=True):
    """What an owner has code for: its workflows, each with its version, and of those in ``pins`` these versions only. A
    version that ends in a slash stands for all with this label. ``worker``: who it is. ``since``: when it came (µs).
    ``ramps``: versions that it ramps up."""

    serves: dict[str, str] = {}
    pins: dict[str, list[str]] = {}
    worker: str = ""
    since: int = 0
    ramps: dict[str, Ramp] = {}

    @property
    def pinned(self) -> Collection[str]:
        return self.pins.keys()

    def has(self, workflow: str, version: str) -> bool:
        """Whether the owner may go on with runs of this version."""
        if workflow not in self.serves:
            return False
        pins = self.pins.get(workflow)
        return pins is None or any(version == pin or (pin[-1:] == "/" and version.startswith(pin)) for pin in pins)


def version_of(one: Owner | Served, workflow: str, id: str) -> str:
    """The version that a new run with this id gets from one that may have code for it; empty if it has none."""
    ramp = one.ramps.get(workflow)
    return ramp.version if ramp is not None and ramp.takes(id) else one.serves.get(workflow, "")


class Holding(msgspec.Struct, frozen=True, gc=False):
    """What an owner has: its slots, and of these the ``surplus``, which it should let go of because others have less.
    ``others``: what those have code for who share the app's runs with it. ``since``: when it came (µs), 0 where that is
    not known."""

    slots: tuple[Slots, ...]
    surplus: tuple[Slots, ...] = ()
    others: tuple[Served, ...] = ()
    since: int = 0


class Worker(msgspec.Struct, frozen=True, gc=False):
    """An owner, as a person who looks after it wants to see it.

    Attributes:
        worker: host, process and a mark of its own. epoch: what its commits are fenced by.
        since: when it became one (µs), 0 where that is not known. expires: when it counts as dead if nothing more is
            heard of it (µs), None where its death is seen at once.
        slots: how many of all it has. serves: the workflows that it has code for, each with its version.
        pinned: those of them whose runs stay with their version.
    """

    worker: str
    app: str
    epoch: int
    since: int
    expires: int | None
    slots: int
    serves: dict[str, str]
    pinned: list[str]


class Owning(Protocol):
    """The part of the store's protocol that moves runs between owners."""

    @property
    def lease(self) -> float | None:
        """Seconds after which an owner counts as dead that has not called ``tend``; None where its death is seen at
        once."""

    def tend(self, fence: Fence) -> Holding:
        """Goes on with the lease, takes over what nobody owns any more, and says what the owner has now.

        Raises:
            FenceLost: somebody else has taken over.
        """

    def give(self, fence: Fence, slots: Sequence[Slots]) -> None:
        """Lets go of slots, where nothing is under way any more, for others to take."""

    def pin(self, fence: Fence, pins: Mapping[str, Sequence[str]]) -> None:
        """Says of which versions of its workflows the owner has code, where it has not for all; see ``Served``."""

    def pass_on(self, fence: Fence, workflows: Iterable[str], runs: Iterable[int], now: int) -> int:
        """Moves open runs of these workflows that are due or have mail, and these ``runs``, from the owner's slots into
        those of owners who have their code; how many. None of them is in the owner's memory."""

    def time(self) -> int:
        """The database's clock, in µs."""

    def workers(self, app: str | None = None) -> list[Worker]:
        """The owners that are alive, of one app or of all."""

    def stirred(self) -> bool:
        """Whether owners are known to have come, gone or let go of something since the last call: a hint, as
        ``changed`` is, which passes it on."""

    def upkeep(self) -> None:
        """What the database needs from time to time, beside all commits; asked for by every owner, and soon over as a
        rule.

        Raises:
            StoreError: it could not be looked into; the next time will do.
        """

    def slots_of(self, runs: Iterable[int]) -> dict[int, int]:
        """Which slot each of these runs is in."""
