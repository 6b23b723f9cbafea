"""What a run is doing at this moment, as far as its owner knows: for people who watch; nothing of it is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from segue.runtime.attempts import Running

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor


class UnderWay(msgspec.Struct, frozen=True):
    """An attempt that runs now.

    Attributes:
        attempt: its number. of: how many the retry policy allows, None for no limit.
        progress: what the step last reported, ``{"done", "total", "message"}``.
        stopping: it has been asked to stop. summary: what the call is about.
    """

    key: str
    name: str
    attempt: int
    of: int | None
    started_at: int
    progress: Any = None
    stopping: bool = False
    summary: str | None = None


class Activity(msgspec.Struct, frozen=True):
    """What a run does and waits for.

    Attributes:
        known: whether the run is in this process's memory; if not, the rest says nothing.
        attempts: attempts of its steps that run now.
        timer: when its next timer is due (µs), a retry's too.
        timer_summary: what that one is about.
        signals: names of the signals that it waits for.
    """

    known: bool = False
    attempts: tuple[UnderWay, ...] = ()
    timer: int | None = None
    timer_summary: str | None = None
    signals: tuple[str, ...] = ()


NOTHING = Activity()


def activity(conductor: Conductor, row: int) -> Activity:
    """What the run of this row is doing."""
    run = conductor.residents.get(row)
    if run is None or run.execution is None:
        return NOTHING
    deadline = run.execution.deadline
    return Activity(
        True,
        tuple(_under_way(running) for running in run.active.values() if running is not None),
        None if deadline is None else deadline.at,
        None if deadline is None else deadline.summary,
        tuple(run.execution.signals_awaited()),
    )


def _under_way(running: Running) -> UnderWay:
    attempt, command = running.attempt, running.command
    return UnderWay(
        attempt.key, attempt.name, attempt.attempt, command.spec.retry.attempts or None, running.started_at,
        attempt.progress, running.stopping, command.spec.summary,
    )  # fmt: skip
