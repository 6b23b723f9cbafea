"""Brings an execution to where its journal ends, and notices when the two disagree.

Input events are applied. Records (``events.RECORDS``) are not: the execution has to ask for them again by itself, in
the same order. That is the check that makes a change of code or an impure workflow visible.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from segue.errors import NonDeterminism
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.execution import Execution

_RECORD_OF: dict[type[c.Command], type[e.Event]] = {
    c.OpenTask: e.TaskOpened,
    c.SetAttributes: e.AttributesSet,
    c.RecordMarker: e.Marker,
    c.CompleteUpdate: e.UpdateCompleted,
    c.Complete: e.RunCompleted,
    c.Fail: e.RunFailed,
    c.Cancelled: e.RunCancelled,
    c.ContinueAsNew: e.RunContinued,
}
_IDENTITY: dict[type[e.Event], str] = {e.TaskOpened: "key", e.Marker: "name", e.UpdateCompleted: "update"}
"""The attribute that a record and its command must share."""


_RECORDS = frozenset(e.RECORDS)
_INCIDENTS = (e.IncidentOpened, e.IncidentResolved)
_ALONE = frozenset((e.RunStarted, e.Resumed))
"""Events that may be on disk without what they led to: if the journal ends there, nobody may have carried that out."""
_REPEATABLE = (c.CancelStep, c.CancelChild, c.CloseTask, c.Reassign, c.Publish, c.SetSummary, c.Attach)
"""Commands that leave no record, are not outstanding either, and may be carried out twice."""


class Replay:
    """Feeds a journal to an execution, one event at a time.

    An event is held back until the records behind it are known, because a ``Marker`` among them says how the code went
    when the event was first applied (``Execution.expected_markers``).

    Attributes:
        awaited: commands that ask for a record which the journal has not shown yet; what is left at the end was
            never recorded and has to be.
        missed: commands that were dropped while the run stood still as a whole, and that nobody has carried out since.
    """

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._held: e.Event | None = None
        self._records: list[e.Event] = []
        self._standing = False
        self._dropped = False
        self.awaited: deque[c.Command] = deque()
        self.missed: list[c.Command] = []
        execution.replaying = True

    def feed(self, event: e.Event) -> None:
        """Takes the next event of the journal.

        Raises:
            NonDeterminism: the journal holds what the execution did not ask for.
        """
        kind = type(event)
        if kind in _RECORDS:
            self._records.append(event)
        elif self._standing or kind in _INCIDENTS:
            self._feed_incident(event)
        else:
            self._apply()
            self._held, self._dropped = event, kind in _ALONE
            if self.missed:
                self.missed.clear()

    def feed_all(self, events: Iterable[e.Event]) -> None:
        """Takes the next events of the journal. Raises as ``feed`` does, and takes none behind the one it fails at."""
        self._execution.within(self._feed_each, events)

    def _feed_each(self, events: Iterable[e.Event]) -> None:
        for event in events:
            self.feed(event)

    def _feed_incident(self, event: e.Event) -> None:
        """From an event that the run could not cope with to the repair, nothing that followed was carried out."""
        whole = isinstance(event, _INCIDENTS) and not event.key
        opened = whole and isinstance(event, e.IncidentOpened)
        self._dropped |= opened
        self._apply()
        self._standing |= opened
        self._held, self._dropped = event, self._standing
        if whole and not opened:
            self._standing = False

    def finish(self) -> None:
        """The journal ends here. Raises as ``feed`` does."""
        self._apply()
        self._execution.replaying = False
        self._execution.expected_markers = frozenset()

    def _apply(self) -> None:
        event, records = self._held, self._records
        if event is None:
            return
        execution = self._execution
        if records:
            execution.expected_markers = frozenset(r.name for r in records if isinstance(r, e.Marker))
        execution.apply(event)
        if execution.commands:
            self.awaited.extend(command for command in execution.commands if type(command) in _RECORD_OF)
            if self._dropped:
                self.missed.extend(command for command in execution.commands if type(command) in _REPEATABLE)
            execution.commands.clear()
        if records:
            for record in records:
                self._check(record)
            execution.expected_markers = frozenset()
            self._records = []

    def _check(self, event: e.Event) -> None:
        if not self.awaited:
            raise NonDeterminism(f"the journal has {_describe(event)}, which the workflow no longer asks for")
        command = self.awaited.popleft()
        expected = _RECORD_OF[type(command)]
        identity = _IDENTITY.get(expected)
        if type(event) is not expected or (identity and getattr(event, identity) != getattr(command, identity)):
            raise NonDeterminism(
                f"the journal has {_describe(event)} where the workflow now asks for {_describe(command)}"
            )


def _describe(thing: e.Event | c.Command) -> str:
    name = next((getattr(thing, a) for a in ("key", "name", "update") if hasattr(thing, a)), None)
    return f"{type(thing).__name__}({name})" if name else type(thing).__name__
