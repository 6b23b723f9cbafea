"""What a run did, read from its journal, and what a test asserts of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from segue.authoring.python.definitions import Step
from segue.client.following import Recorded
from segue.client.handles import Handle
from segue.errors import InvalidArgument
from segue.kernel import events as e

AnyStep = Step[Any, Any] | str
"""A step, or its name."""


class StepTrace(msgspec.Struct):
    """One call of a step, as far as its outcomes are recorded.

    Attributes:
        name: of the step. key: of the call; ``segue.idempotency_key()`` derives from it.
        began: when its first recorded attempt began, µs. ended: the number of the event that says how it went last.
        attempts: the highest number of an attempt that is known of.
        failures: messages of its failed attempts.
        completed: whether it has a result.
    """

    name: str
    key: str
    began: int
    ended: int
    attempts: int = 1
    failures: list[str] = []
    completed: bool = False

    def __str__(self) -> str:
        tries = f" at attempt {self.attempts}" if self.attempts > 1 else ""
        how = "completed" if self.completed else f"failed ({self.failures[-1]})" if self.failures else "begun"
        return f"{self.key.lstrip('/')} {how}{tries}"


class Trace:
    """What a run did.

    Attributes:
        events: its journal. calls: its calls of steps, in the order in which they began.
        state: ``completed``, ``failed``, ``cancelled``, ``terminated``, ``continued``, or ``open``.
        failure: the message it failed with.
    """

    def __init__(self, history: Iterable[Recorded]) -> None:
        self.events: list[e.Event] = [recorded.event for recorded in history]
        self.calls = _calls(self.events)
        closing = next((event for event in self.events if isinstance(event, e.CLOSING)), None)
        self.state = "open" if closing is None else e.ENDS[type(closing)]
        self.failure = f"{closing.failure.type}: {closing.failure.message}" if isinstance(closing, e.RunFailed) else ""

    def of(self, step: AnyStep) -> list[StepTrace]:
        """The calls of one step."""
        name = _name(step)
        return [call for call in self.calls if call.name == name]

    # --- how it ended -----------------------------------------------------------------------------------------

    def assert_completed(self) -> None:
        assert self.state == "completed", f"the run was to complete: {self._told()}"

    def assert_failed(self, match: str = "") -> None:
        """It failed, with an error whose type or message fits the regular expression."""
        assert self.state == "failed", f"the run was to fail: {self._told()}"
        assert re.search(match, self.failure), f"the run was to fail with {match!r}, it did with {self.failure!r}"

    def assert_cancelled(self) -> None:
        assert self.state == "cancelled", f"the run was to be cancelled: {self._told()}"

    # --- what it called ---------------------------------------------------------------------------------------

    def assert_called(self, step: AnyStep, *, times: int | None = None) -> None:
        """The step was called (not: attempted) so often, or at all."""
        found = len(self.of(step))
        right = found > 0 if times is None else found == times
        wanted = "" if times is None else f" {times} times"
        assert right, f"step {_name(step)!r} was to be called{wanted}: {self._told()}"

    def assert_not_called(self, step: AnyStep) -> None:
        assert not self.of(step), f"step {_name(step)!r} was not to be called: {self._told()}"

    def assert_in_order(self, *steps: AnyStep) -> None:
        """The steps began in this order; others may lie between."""
        begun = iter(call.name for call in self.calls)
        for step in steps:
            name = _name(step)
            assert any(name == other for other in begun), (
                f"steps were to be called in the order {', '.join(map(_name, steps))}, and at its place {name!r} was "
                f"not: {self._told()}"
            )

    def assert_once_per_key(self, *steps: AnyStep) -> None:
        """No call of these steps (by default of any) was attempted twice: no idempotency key was used again."""
        names = {_name(step) for step in steps}
        again = [call for call in self.calls if call.attempts > 1 and (not names or call.name in names)]
        assert not again, f"attempted more than once under one idempotency key: {'; '.join(map(str, again))}"

    def assert_compensated(self, *pairs: tuple[AnyStep, AnyStep]) -> None:
        """For each (step, its undoing): every call of the step has a later, completed call of the undoing, and what
        began last was undone first."""
        undone = [self._undone(step, undoing) for step, undoing in pairs]
        order = sorted((began, ended, step) for began, ended, step in undone if ended >= 0)
        for (_, first, step), (_, second, later) in pairwise(order):
            assert second < first, f"{later!r} began after {step!r} and was to be undone before it: {self._told()}"

    def _undone(self, step: AnyStep, undoing: AnyStep) -> tuple[int, int, str]:
        """Place of the step's last call among all, and of its undoing's first; -1 where there was nothing to undo."""
        called, back = self.of(step), [call for call in self.of(undoing) if call.completed]
        name = _name(step)
        assert len(back) >= len(called), f"{name!r} was to be undone by {_name(undoing)!r}: {self._told()}"
        if not called:
            return -1, -1, name
        last, first = self.calls.index(called[-1]), self.calls.index(back[0])
        assert first > last, f"{name!r} was to be undone after it had run: {self._told()}"
        return last, first, name

    def _told(self) -> str:
        ended = f"it is {self.state}{': ' if self.failure else ''}{self.failure}"
        return f"{ended}; steps: {', '.join(map(str, self.calls)) or 'none'}"


async def trace(handle: Handle[Any]) -> Trace:
    """What a run has done so far.

    Raises:
        InvalidArgument: it is no handle of a run.
    """
    if not isinstance(handle, Handle):
        raise InvalidArgument(
            f"{handle!r} is no handle of a run; give what `await world.engine.start(workflow)` returned"
        )
    return Trace(await handle.history())


def _name(step: AnyStep) -> str:
    return step if isinstance(step, str) else step.name


def _calls(events: Sequence[e.Event]) -> list[StepTrace]:
    found: dict[str, StepTrace] = {}
    for number, event in enumerate(events):
        if not isinstance(event, (e.StepStarted, e.StepCompleted, e.StepFailed)):
            continue
        began = event.at if isinstance(event, e.StepStarted) else event.started_at
        call = found.setdefault(event.key, StepTrace(event.name, event.key, began, number, failures=[]))
        call.ended, call.attempts = number, max(call.attempts, event.attempt)
        if isinstance(event, e.StepFailed):
            call.failures.append(f"{event.failure.type}: {event.failure.message}")
        call.completed |= isinstance(event, e.StepCompleted)
    return sorted(found.values(), key=lambda call: call.began)
