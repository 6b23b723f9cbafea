"""Whether those who work on the runs of an app have the same code, told by the versions that they say they serve.

Several bodies of code under one name are right for as long as a fleet is brought up to date, and a mistake when it
stays so: somebody has given two bodies of code one app, or has forgotten a worker. What tells the one from the other is
the order in which workers came. In an upgrade the new version comes after the old one, workers go on coming, and the
old version does not come back. Nothing is refused: each run is gone on with, or waits for whoever has its code.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Literal, Protocol

import msgspec

log = logging.getLogger("segue.differing")

Kind = Literal["rolling", "arriving", "mixed", "leaving"]
"""``rolling``: a newer version follows an older one. ``arriving``: only workers that came later have the workflow.
``mixed``: two versions stay beside each other. ``leaving``: workers that came later lack the workflow."""

UPGRADE = 15 * 60 * 1_000_000
"""Microseconds after which an upgrade that no worker has joined any more is none."""
VISIT = 60 * 1_000_000
"""Microseconds for which a worker may be there with a part of the workflows before that is remarked upon: a process
that is there for one run comes and goes."""


class Body(Protocol):
    """What is asked of a worker: its name, when it came (µs), its workflows with their versions, the pinned ones."""

    @property
    def worker(self) -> str: ...

    @property
    def since(self) -> int: ...

    @property
    def serves(self) -> Mapping[str, str]: ...

    @property
    def pinned(self) -> Collection[str]: ...


class Difference(msgspec.Struct, frozen=True):
    """A workflow that workers of an app have different code for.

    Attributes:
        at: each version, or "" for none, with the worker that came last with it; in the order in which these came.
    """

    workflow: str
    kind: Kind
    at: tuple[tuple[str, str], ...]

    @property
    def key(self) -> tuple[str, Kind, frozenset[str]]:
        """What it is about, whoever is named."""
        return self.workflow, self.kind, frozenset(version for version, _ in self.at)


def differences(workers: Iterable[Body], now: int) -> list[Difference]:
    """Where the living workers of one app differ, by the names of workflows; ``now`` by the clock that says since when
    they live. Workers without any code are left out, and versions of workflows that are pinned: those may stay."""
    bodies = sorted((each for each in workers if each.serves), key=lambda each: (each.since, each.worker))
    if not bodies or all(each.serves == bodies[0].serves for each in bodies):
        return []
    found: list[Difference] = []
    for name in sorted({name for each in bodies for name in each.serves}):
        having = [each for each in bodies if name in each.serves]
        lacking = [each for each in bodies if name not in each.serves]
        if len({each.serves[name] for each in having}) > 1 and not any(name in each.pinned for each in having):
            found.append(Difference(name, _of_versions(name, having, now), _last_with(name, having)))
        if lacking:
            later = bodies.index(lacking[-1]) > bodies.index(having[-1])
            if not later or now - lacking[-1].since >= VISIT:
                found.append(Difference(name, "leaving" if later else "arriving", _last_with(name, bodies)))
    return found


def _of_versions(name: str, having: Sequence[Body], now: int) -> Kind:
    versions = [each.serves[name] for each in having]
    changes = sum(one != other for one, other in pairwise(versions))
    comes_back = changes >= len(set(versions))
    return "mixed" if comes_back or now - having[-1].since >= UPGRADE else "rolling"


def _last_with(name: str, bodies: Sequence[Body]) -> tuple[tuple[str, str], ...]:
    last: dict[str, str] = {}
    for each in bodies:
        version = each.serves.get(name, "")
        last.pop(version, None)
        last[version] = each.worker
    return tuple(last.items())


_SAYS: dict[Kind, tuple[int, str]] = {
    "rolling": (logging.INFO, "workflow {workflow!r} of app {app!r} is being brought up to date: {at}{more}"),
    "arriving": (logging.INFO, "workflow {workflow!r} of app {app!r} is not known to all its workers yet: {at}{more}"),
    "mixed": (
        logging.WARNING,
        "workers of app {app!r} have different code under one name: workflow {workflow!r} is {at}{more}; runs may go "
        "from one to the other. Bring the rest up to date, give one of them an app of its own (--app), or pin the "
        'workflow (versioning="pinned")',
    ),
    "leaving": (
        logging.WARNING,
        "workers that came later lack workflow {workflow!r} of app {app!r}: {at}{more}; its runs wait once nobody has "
        "its code any more. Serve it on until they have ended, or give one of them an app of its own (--app)",
    ),
}


class Comparison:
    """Says once in the log of a worker what differs, and when that is over."""

    def __init__(self, app: str) -> None:
        self._app = app
        self._said: set[tuple[str, Kind, frozenset[str]]] = set()

    def tell(self, found: Sequence[Difference]) -> None:
        for kind, (level, text) in _SAYS.items():
            new = [each for each in found if each.kind == kind and each.key not in self._said]
            if new:
                more = f" (so are {len(new) - 1} more workflows)" if len(new) > 1 else ""
                log.log(level, text.format(app=self._app, workflow=new[0].workflow, at=_at(new[0]), more=more))
        if self._said and not found:
            log.info("all workers of app %r have the same code", self._app)
        self._said = {each.key for each in found}


def _at(difference: Difference) -> str:
    places = [
        f"{f'version {version}' if version else 'not there'} at worker {worker}" for version, worker in difference.at
    ]
    return ", then ".join(places)
