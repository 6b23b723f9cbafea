"""Whether a run that goes on does anything that it has not done before, or goes round and round."""

from __future__ import annotations

from collections.abc import Hashable

from segue.kernel import events as e
from segue.stores.base import Append, Batch

MOST = 20_000
"""Commits in a row without anything new after which a run counts as one that does not end."""


class Rounds:
    """Hears of each commit.

    Attributes:
        without: how many have brought nothing new since the last one that did.
    """

    def __init__(self) -> None:
        self.without = 0
        self._seen: set[Hashable] = set()

    def take(self, batch: Batch) -> None:
        before = len(self._seen)
        others = False
        for operation in batch.operations:
            if isinstance(operation, Append):
                self._seen.update(map(_shape, operation.events))
                self._seen.update(operation.published.items())
            else:
                others = True
        self.without = 0 if others or len(self._seen) > before else self.without + 1


def _shape(line: bytes) -> Hashable:
    """What an event has in common with another one that says the same, of another time and another call."""
    match e.decode(line):
        case e.TimerFired(summary=summary):
            return "timer", summary
        case e.StepStarted(name=name, attempt=attempt):
            return "began", name, attempt
        case e.StepCompleted(name=name, hash=hash, result=result):
            return "completed", name, hash, result.encoding, bytes(result.data), result.ref
        case e.StepFailed(name=name, attempt=attempt, hash=hash, failure=failure):
            return "failed", name, attempt, hash, failure.type, failure.message
    return line
