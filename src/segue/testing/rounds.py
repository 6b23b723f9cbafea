"""Whether a run that goes on does anything that it has not done before, or goes round and round.

Time that a workflow sleeps, or that a step takes, is no going round: who polls once a minute for a week does what was
meant. Waits between attempts, and delays that the simulation has made, come of what went wrong, and an endless loop has
them too.
"""

from __future__ import annotations

from collections.abc import Hashable

from segue.kernel import events as e
from segue.kernel.payload import Payload
from segue.stores.base import Append, Batch, StartRun

MOST = 20_000
"""Commits in a row without anything new and without any time going by after which a run counts as one that does not
end."""
MOST_WITH_TIME = 50_000
"""The same where time goes by: five weeks of a step a minute."""
MOST_RUNS = 2_000
"""Runs of a chain that may follow each other without any time going by."""


class Rounds:
    """Hears of each commit, and of time that went by."""

    def __init__(self) -> None:
        self._without = 0
        """Commits that have brought nothing new since the last one that did."""
        self._standing = 0
        """The same, since time went by too."""
        self._runs = 0
        self._seen: set[Hashable] = set()
        self._retries: dict[tuple[int, str], int] = {}
        self._slept = 0

    def take(self, batch: Batch) -> None:
        before = len(self._seen)
        others = False
        for operation in batch.operations:
            if isinstance(operation, Append):
                for line in operation.events:
                    event = e.decode(line)
                    shape = _shape(event)
                    self._seen.add(line if shape is None else shape)
                    self._wait(operation.run, event)
                self._seen.update(operation.published.items())
                self._runs += operation.goes_on is not None
            elif isinstance(operation, StartRun) and operation.parent is not None:
                self._seen.add(_shape(e.decode(operation.event)))
            else:
                others = True
        new = others or len(self._seen) > before
        self._without = 0 if new else self._without + 1
        self._standing = 0 if new else self._standing + 1

    def moved(self) -> None:
        """Time went by, as the workflow or a step had it."""
        self._standing = self._runs = 0

    def endless(self) -> str:
        """What goes on without end, as far as can be seen; empty if nothing does."""
        if self._runs > MOST_RUNS:
            return (
                f"it continues as new again and again: {MOST_RUNS:,} runs have followed each other without any time "
                "going by"
            )
        if self._standing > MOST:
            return f"it goes round and round: {MOST:,} commits have brought nothing new, and no time has gone by"
        if self._without > MOST_WITH_TIME:
            return f"it goes round and round: {MOST_WITH_TIME:,} commits have brought nothing new"
        return ""

    def _wait(self, run: int, event: e.Event) -> None:
        match event:
            case e.StepFailed(retry_at=int(at)):
                self._retries[run, event.key] = at
            case e.TimerFired(at=at) if at > self._slept:
                due = [call for call, retry_at in self._retries.items() if call[0] == run and retry_at <= at]
                for call in due:
                    del self._retries[call]
                if not due:
                    self._slept = at
                    self.moved()


def _shape(event: e.Event) -> Hashable | None:
    """What an event has in common with another one that says the same, of another time and another call; None where
    that is nothing."""
    match event:
        case e.RunStarted(workflow=workflow, input=input):
            return "run", workflow, _value(input)
        case e.RunCompleted(result=result):
            return "end", _value(result)
        case e.RunFailed(failure=failure):
            return "end", failure.type, failure.message
        case e.RunContinued(input=input):
            return "goes on", _value(input)
        case e.ChildStarted(workflow=workflow, hash=hash):
            return "child", workflow, hash
        case e.ChildCompleted(state=state, result=result):
            return "child", state, None if result is None else _value(result)
        case e.TimerFired(summary=summary):
            return "timer", summary
        case e.StepStarted(name=name, attempt=attempt):
            return "began", name, attempt
        case e.StepCompleted(name=name, hash=hash, result=result):
            return "completed", name, hash, _value(result)
        case e.StepFailed(name=name, attempt=attempt, hash=hash, failure=failure):
            return "failed", name, attempt, hash, failure.type, failure.message
        case _:
            return None


def _value(payload: Payload) -> Hashable:
    return payload.encoding, bytes(payload.data), payload.ref
