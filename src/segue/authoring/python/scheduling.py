"""``Schedule`` and ``Deadline``: when a workflow is started by itself, and what follows if a run fails to appear."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from segue.authoring.python.registry import definition_of
from segue.errors import InvalidArgument
from segue.kernel.duration import Duration, microseconds
from segue.kernel.names import checked_name
from segue.kernel.report import Occasion
from segue.kernel.schedule import OVERLAPS, Limit, Overlap, Policy, Target
from segue.recurrence.rules import Calendar, Cron, Every, Rule, Within, instants, point

SHORTEST_CATCHUP = 10_000_000
"""µs: an alarm rings a little late, and a store may be down for a moment; that much is no missed run."""


class Deadline(msgspec.Struct, frozen=True):
    """What must have happened some time after the due time: ``Deadline("completed", "2h", page_somebody)``.

    Attributes:
        event: ``started`` or ``completed``.
        within: how long after the due time.
        call: the workflow or step that is run, durably, if it has not; it takes a ``RunReport``, or nothing.
    """

    event: Literal["started", "completed"]
    within: Duration
    call: Any

    def __post_init__(self) -> None:
        self.limit()

    def limit(self) -> Limit:
        """The same as plain data.

        Raises:
            InvalidArgument: it cannot be used.
        """
        if self.event not in ("started", "completed"):
            raise InvalidArgument(f"a deadline is for 'started' or 'completed', not for {self.event!r}")
        return Limit(self.event, microseconds(self.within), target_of(self.call, "a deadline"))


class Schedule(msgspec.Struct, frozen=True):
    """When runs of a workflow are started, and how.

    Attributes:
        when: ``Cron(…)``, ``Every(…)`` or ``Calendar(…)``.
        args: the workflow's arguments, the same for every run.
        name: by default the workflow's.
        overlap: what happens while a run is open: ``skip`` the new one, ``buffer-one`` or ``buffer-all`` until it has
            ended, ``cancel-other`` or ``terminate-other`` to make room, or ``allow-all`` side by side.
        jitter: runs are started up to that much later, each by an amount of its own that is always the same.
        catchup: how late a run may still be started, after the engine was down; what is later is missed.
        depends_on_past: a run waits until the run before it has completed.
        after: names of schedules whose runs of the same due time must have completed first.
        deadlines: what is to be run if a run has not started, or completed, in time.
        start, end: no runs are due before and from then on. A start in the past is caught up with.
        tags: of every run. note: for people.

    Raises:
        InvalidArgument: it cannot be used; nothing is declared or made.
    """

    when: Rule
    args: tuple[Any, ...] = ()
    name: str = ""
    overlap: Overlap = "skip"
    jitter: Duration = 0
    catchup: Duration = "1d"
    depends_on_past: bool = False
    after: tuple[str, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    start: datetime | str | None = None
    end: datetime | str | None = None
    tags: dict[str, str] = {}
    note: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.when, (Cron, Every, Calendar)):
            raise InvalidArgument(f"a schedule goes by Cron(…), Every(…) or Calendar(…); {self.when!r} is none of them")
        if self.name:
            schedule_name(self.name)
        policy = self.policy()
        if Within(instants(self.when), policy.start, policy.end).after(policy.start or 0) is None:
            raise InvalidArgument(f"no instant of {self.when} lies from {self.start} on and before {self.end}")

    def policy(self) -> Policy:
        """How it is treated, as plain data."""
        return Policy(**{field: read(getattr(self, given)) for given, (field, read) in POLICY.items()})


def schedule_name(name: str) -> str:
    """The name, if a schedule can have it: the ids of its runs are made of it."""
    if not checked_name(name, "a schedule's name") or "@" in name or "/" in name:
        raise InvalidArgument(
            f"a schedule's name is text without @ and /, which the ids of its runs are made of: {name!r}"
        )
    return name


def target_of(value: Any, what: str) -> Target:
    """The workflow or step that is given, or the name of a workflow.

    Raises:
        InvalidArgument: it is none, or does not take one report or nothing.
    """
    if isinstance(value, str):
        return Target("workflow", checked_name(value, f"the workflow that {what} runs"))
    value = definition_of(value)
    if not hasattr(value, "function") or not hasattr(value, "name"):
        raise InvalidArgument(f"{what} runs a workflow or a step; {value!r} is neither: decorate it")
    taken, needed = _parameters(value)
    if needed > 1 or taken < needed:
        raise InvalidArgument(f"{value.name!r} takes more than a RunReport; {what} calls it with that or with nothing")
    return Target("step" if hasattr(value, "spec") else "workflow", value.name)


def takes_report(definition: Any) -> bool:
    """Whether a hook's workflow or step wants to know what happened."""
    return _parameters(definition)[0] > 0


def hooks_of(given: Mapping[Occasion, Any]) -> dict[Occasion, Target]:
    """What is run when a run ends so, or stands still."""
    return {occasion: target_of(call, f"on_{occasion}") for occasion, call in given.items() if call is not None}


def declared(schedule: Any, workflow: str) -> tuple[Schedule, ...]:
    """The schedules that a workflow is declared with, all of them named.

    Raises:
        InvalidArgument: two have the same name.
    """
    given = () if schedule is None else schedule if isinstance(schedule, (tuple, list)) else (schedule,)
    made = [one if isinstance(one, Schedule) else Schedule(one) for one in given]
    named = tuple(one if one.name else msgspec.structs.replace(one, name=workflow) for one in made)
    names = [one.name for one in named]
    for name in names:
        if names.count(name) > 1:
            raise InvalidArgument(f"workflow {workflow!r} declares two schedules {name!r}; give one a name= of its own")
    return named


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _parameters(definition: Any) -> tuple[int, int]:
    """How many arguments a workflow or step takes by position, and how many of its parameters need one."""
    parameters = list(inspect.signature(definition.function).parameters.values())
    if getattr(definition, "form", None) is not None:
        parameters = parameters[1:]  # self
    positional = (*_POSITIONAL, inspect.Parameter.VAR_POSITIONAL)
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    taken = sum(parameter.kind in positional for parameter in parameters)
    needed = sum(parameter.default is parameter.empty and parameter.kind not in variadic for parameter in parameters)
    return taken, needed


# --- each field of the policy, read from what users write ------------------------------------------------------


def _overlap(value: Any) -> Any:
    if value not in OVERLAPS:
        raise InvalidArgument(f"overlap must be one of {', '.join(OVERLAPS)}; it is {value!r}")
    return value


def _catchup(value: Duration) -> int:
    if microseconds(value) < SHORTEST_CATCHUP:
        raise InvalidArgument(f"catchup={value!r} is too short: a run is always a little late; give '10s' or more")
    return microseconds(value)


def _after(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        raise InvalidArgument(f"after= is a tuple of names of schedules: after=({value!r},)")
    return tuple(schedule_name(name) for name in value)


def _limits(value: Any) -> tuple[Limit, ...]:
    return tuple(deadline.limit() for deadline in value)


def _point(what: str) -> Callable[[Any], int | None]:
    return lambda value: None if value is None else point(value, what)


POLICY: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "overlap": ("overlap", _overlap),
    "jitter": ("jitter", microseconds),
    "catchup": ("catchup", _catchup),
    "depends_on_past": ("depends_on_past", bool),
    "after": ("after", _after),
    "deadlines": ("limits", _limits),
    "start": ("start", _point("a schedule's start")),
    "end": ("end", _point("a schedule's end")),
}
"""Fields of ``Schedule`` that are part of its policy: which one of ``Policy`` each is, and how it is read."""
