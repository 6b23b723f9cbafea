"""How much of everything an owner allows itself, and how long it keeps what has ended."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import msgspec

from segue.errors import InvalidArgument
from segue.kernel.duration import Duration, microseconds
from segue.kernel.names import checked_name
from segue.kernel.notice import NotifyRule
from segue.runtime.memory import check_memory
from segue.stores.base import CLOSED


class Retention(msgspec.Struct, frozen=True):
    """How long runs are kept after their end: ``Retention("30d")``, ``Retention("365d", state="failed")``.

    Of several that fit a run, the one that names its workflow comes before the one that names its state only; one that
    names both comes first. A run that none fits is kept for ever.

    Attributes:
        keep: the length of time.
        workflow, state: which runs; None for all.
    """

    keep: Duration
    workflow: str | None = None
    state: Literal["completed", "failed", "cancelled", "terminated"] | None = None

    def __post_init__(self) -> None:
        try:
            microseconds(self.keep)
        except InvalidArgument as error:
            raise InvalidArgument(str(error), path="$.keep") from error
        if self.workflow is not None:
            try:
                checked_name(self.workflow, "the workflow")
            except InvalidArgument as error:
                raise InvalidArgument(str(error), path="$.workflow") from error
        if self.state is not None and self.state not in CLOSED:
            raise InvalidArgument(f"no run ends as {self.state!r}; retention knows {', '.join(CLOSED)}", path="$.state")


class Expiry(msgspec.Struct, frozen=True):
    """Runs that are deleted alike: those of one state, of one workflow, or of all but some; ``keep`` in µs."""

    keep: int
    state: str
    workflow: str | None
    but_not: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How much of everything.

    Attributes:
        cache: idle runs kept in memory; others come back by replay.
        memory: what the process may hold before idle runs leave it, whatever their number: a size such as ``750M``,
            ``auto`` for four fifths of what its container may have, if that is limited, or ``off``.
        threads: plain functions that run at once.
        processes: worker processes for ``executor="process"``; 0 is one per processor.
        lost_limit: processes that may die under one step before its run stands still.
        poll: seconds between looks for other processes' hints. slow_poll: between looks that need no hint.
        stall: seconds for which the event loop may stand still before what blocks it is reported; 0 reports nothing.
        strangers: what becomes of runs whose workflow is not known here: ``incident``, or ``leave`` them alone, for
            whoever has their code. A process that is there for one workflow leaves them.
        lease: seconds after which a worker that is not heard of counts as dead, and others go on with its runs; of no
            meaning for a file, whose owner's death is seen at once.
        pinned_wait: seconds for which a run that is pinned to a version waits for a worker that has it, before it
            stands still.
        large_values: a URL under which values of more than 128 KiB are kept, as fsspec knows them (``s3://bucket/path``,
            ``file:///folder``); "" for the database itself.
        retention: how long runs are kept after their end; by default for ever.
        notify: whom outside to tell of what; see docs/notify.md.

    Raises:
        InvalidArgument: a value is of another type or out of range, or two rules of retention are for the same runs.
    """

    cache: int = 1000
    memory: str = "auto"
    threads: int = 32
    processes: int = 0
    lost_limit: int = 3
    poll: float = 0.025
    slow_poll: float = 1.0
    stall: float = 2.0
    strangers: Literal["incident", "leave"] = "incident"
    lease: float = 10.0
    pinned_wait: float = 60.0
    large_values: str = ""
    retention: tuple[Retention, ...] = ()
    notify: tuple[NotifyRule, ...] = ()

    def __post_init__(self) -> None:
        for name, default in zip(self.__struct_fields__, self.__struct_defaults__, strict=True):
            _check_type(name, getattr(self, name), type(default))
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if not value >= least or value == math.inf:
                raise InvalidArgument(f"the setting {name} is {value!r}; it has to be {least} or more", path=name)
        check_memory(self.memory)
        if self.strangers not in ("incident", "leave"):
            raise InvalidArgument(f"the setting strangers is {self.strangers!r}; it is 'incident' or 'leave'")
        check_rules(self.retention)


_LEAST: dict[str, float] = {
    "cache": 0, "threads": 1, "processes": 0, "lost_limit": 1, "poll": 0.001, "slow_poll": 0.001, "stall": 0,
    "pinned_wait": 0, "lease": 1,
}  # fmt: skip


_TYPES: dict[type, tuple[tuple[type, ...], str]] = {
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    str: ((str,), "a text"),
}
_RULES: dict[str, type] = {"retention": Retention, "notify": NotifyRule}


def _check_type(name: str, value: object, declared: type) -> None:
    rule = _RULES.get(name)
    if rule is not None:
        fits = isinstance(value, tuple | list) and all(isinstance(each, rule) for each in value)
        words = f"a list of {rule.__name__}"
    else:
        kinds, words = _TYPES[declared]
        fits = isinstance(value, kinds) and type(value) is not bool
    if not fits:
        raise InvalidArgument(f"the setting {name} is {value!r}; it has to be {words}", path=name)


def check_rules(rules: tuple[Retention, ...]) -> None:
    """Raises ``InvalidArgument``: two of them are for the same runs."""
    named = [(rule.workflow, rule.state) for rule in rules]
    for workflow, state in named:
        if named.count((workflow, state)) > 1:
            raise InvalidArgument(
                f"two rules of retention are for {state or 'all'} runs of {workflow or 'every workflow'}; leave one",
                path="$.retention",
            )


def expiries(rules: tuple[Retention, ...]) -> Iterator[Expiry]:
    """The rules, spelt out: every run that has ended falls under one of these at most."""
    keep: dict[tuple[str | None, str | None], int] = {
        (rule.workflow, rule.state): microseconds(rule.keep) for rule in rules
    }
    for state in CLOSED:
        named = sorted({rule.workflow for rule in rules if rule.workflow and rule.state in (None, state)})
        for workflow in named:
            yield Expiry(_first(keep, (workflow, state), (workflow, None)) or 0, state, workflow)
        others = _first(keep, (None, state), (None, None))
        if others is not None:
            yield Expiry(others, state, None, tuple(named))


def _first(keep: dict[tuple[str | None, str | None], int], *names: tuple[str | None, str | None]) -> int | None:
    return next((keep[name] for name in names if name in keep), None)
