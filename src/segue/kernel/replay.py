"""Brings an execution to where its journal ends, and notices when the two disagree.

Input events are applied. Records (``events.RECORDS``) are not: the execution has to ask for them again by itself, in
the same order. That is the check that makes a change of code or an impure workflow visible.

Of a journal that other code has written, records are taken where they are found up to the takeover, and those that
nobody asks for are let be: what counts are the calls, and of those ``adoption`` keeps account.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar

from segue.errors import NonDeterminism
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.adoption import CODE, PATCH, OtherCode, Past
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

AnyExecution = TypeVar("AnyExecution", bound=Execution)
_RECORDS = frozenset(e.RECORDS)
_INCIDENTS = (e.IncidentOpened, e.IncidentResolved)
_ALONE = frozenset((e.RunStarted, e.Resumed))
"""Events that may be on disk without what they led to: if the journal ends there, nobody may have carried that out."""
_REPEATABLE = (c.CancelStep, c.CancelChild, c.CloseTask, c.Reassign, c.Publish, c.SetSummary, c.Attach)
"""Commands that leave no record, are not outstanding either, and may be carried out twice."""
_SHOWN = (c.Publish, c.SetSummary, c.Attach)
"""Those of them that a reader of the run sees the last of, by its name."""


class Replay:
    """Feeds a journal to an execution, one event at a time.

    An event is held back until the records behind it are known, because a ``Marker`` among them says how the code went
    when the event was first applied (``Execution.expected_markers``).

    Args:
        past: what other code has recorded (``Past.of``), if it has.

    Attributes:
        awaited: commands that ask for a record which the journal has not shown yet; what is left at the end was
            never recorded and has to be.
        missed: commands that were dropped while the run stood still as a whole, or that only the run was given from
            whose journal this one is forked, and that nobody has carried out since.
        taken_over: the code at hand took the run over at the end; that has to be recorded before all else.
    """

    def __init__(self, execution: Execution, past: Past | None = None) -> None:
        self._execution = execution
        self._past = execution.past = past
        self._lenient = past is not None
        self._takeovers = 0
        self._attributes: dict[str, object] = {}
        self.taken_over = False
        self._held: e.Event | None = None
        self._records: list[e.Event] = []
        self._standing = False
        self._dropped = False
        self.awaited: deque[c.Command] = deque()
        self.missed: list[c.Command] = []
        self._shown: dict[tuple[type[c.Command], str], c.Command] | None = None
        """What a fork has had its source show so far."""
        self._forked_at = -1
        execution.replaying = True

    def feed(self, event: e.Event) -> None:
        """Takes the next event of the journal.

        Raises:
            NonDeterminism: the journal holds what the execution did not ask for.
            OtherCode: another version of the code has had the run, and no ``past`` was given.
        """
        kind = type(event)
        if kind in _RECORDS:
            self._records.append(event)
        elif self._standing or kind in _INCIDENTS:
            self._feed_incident(event)
        else:
            self._apply()
            self._held, self._dropped = event, kind in _ALONE
            if self._shown is not None:
                self._feed_fork(event, self._shown)
            elif self.missed:
                self.missed.clear()
            elif kind is e.RunStarted and event.seed:  # type: ignore[attr-defined]
                self._shown = {}

    def feed_all(self, events: Iterable[e.Event]) -> None:
        """Takes the next events of the journal. Raises as ``feed`` does, and takes none behind the one it fails at."""
        self._execution.within(self._feed_each, events)

    def _feed_each(self, events: Iterable[e.Event]) -> None:
        for event in events:
            self.feed(event)

    def _feed_fork(self, event: e.Event, shown: dict[tuple[type[c.Command], str], c.Command]) -> None:
        """Up to its mark, and what is written with that, a fork was another run: what that one showed, nobody has had
        this one show."""
        if isinstance(event, e.Modified) and event.action == "forked":
            self._forked_at = event.at
            self.missed = list(shown.values())
        elif self.missed and event.at != self._forked_at:
            self.missed.clear()

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
        if self._lenient:
            self._pass()
            self.taken_over = True
            self._execution.check_takeover()
        self._execution.replaying = False
        self._execution.expected_markers = frozenset()

    def _apply(self) -> None:
        event, records = self._held, self._records
        if event is None:
            return
        execution = self._execution
        if records:
            execution.expected_markers = frozenset(
                r.name for r in records if isinstance(r, e.Marker) and r.kind == PATCH
            )
        execution.apply(event)
        if execution.commands:
            for command in execution.commands:
                if type(command) in _RECORD_OF:
                    self._await(command)
            if self._lenient:
                for command in execution.commands:
                    if isinstance(command, c.SetAttributes):
                        self._attributes |= command.attributes
            if self._shown is not None:
                for command in execution.commands:
                    if isinstance(command, _SHOWN):
                        self._shown[type(command), getattr(command, "name", "")] = command
            if self._dropped:
                self.missed.extend(command for command in execution.commands if type(command) in _REPEATABLE)
            execution.commands.clear()
        if records:
            for record in records:
                self._check(record)
            execution.expected_markers = frozenset()
            self._records = []

    def _await(self, command: c.Command) -> None:
        """The record of a command comes next, and that of the run's end last: where the journal goes on behind the end
        by the code at hand, what has come since may ask for more, or for another end."""
        ends = self.awaited and type(self.awaited[-1]) in c.ENDS
        last = self.awaited.pop() if ends else None
        self.awaited.append(command)
        if last is not None and type(command) not in c.ENDS:
            self.awaited.append(last)

    def _check(self, event: e.Event) -> None:
        if type(event) is e.Marker and event.kind == CODE:
            self._took_over()
        elif self._lenient:
            self._take_if_asked(event)
        else:
            self._take_next(event)

    def _took_over(self) -> None:
        """A version of the code took the run over here; that of the code at hand ends what its predecessors wrote."""
        if self._past is None:
            raise OtherCode
        self._takeovers += 1
        if self._takeovers == self._past.markers:
            self._pass()

    def _pass(self) -> None:
        """What other code has recorded is replayed. What it left out was made up for right behind the takeover."""
        assert self._past is not None
        self._lenient = False
        self._past.passed = True
        late = any(isinstance(command, c.SetAttributes) for command in self.awaited)
        self.awaited = deque(command for command in self.awaited if not isinstance(command, c.SetAttributes))
        if late:  # in one piece, because those which are recorded may have come later in the workflow
            self.awaited.appendleft(c.SetAttributes(dict(self._attributes)))
        self._execution.check_moved()

    def _take_if_asked(self, event: e.Event) -> None:
        """A record of other code is taken if the workflow asks for the same, whenever it did."""
        for place, command in enumerate(self.awaited):
            if _same(event, command):
                del self.awaited[place]
                return
        if isinstance(event, e.CLOSING):
            raise NonDeterminism(f"the journal has {_describe(event)}, which the workflow no longer asks for")

    def _take_next(self, event: e.Event) -> None:
        if not self.awaited:
            raise NonDeterminism(f"the journal has {_describe(event)}, which the workflow no longer asks for")
        command = self.awaited.popleft()
        if not _is_record_of(event, command):
            raise NonDeterminism(
                f"the journal has {_describe(event)} where the workflow now asks for {_describe(command)}"
            )


def replayed(make: Callable[[], AnyExecution], read: Callable[[], Iterable[e.Event]]) -> tuple[AnyExecution, Replay]:
    """A new execution, where its journal ends, for whoever carries nothing out: read twice if other code has had the
    run. Whoever asks for it closes it. Raises as ``Replay.feed``, and whatever ``read`` raises."""
    try:
        return _replayed(make(), read(), None)
    except OtherCode:
        execution = make()
        return _replayed(execution, read(), Past.of(read(), execution.version))


def _replayed(execution: AnyExecution, events: Iterable[e.Event], past: Past | None) -> tuple[AnyExecution, Replay]:
    replay = Replay(execution, past)
    try:
        replay.feed_all(events)
        replay.finish()
    except BaseException:
        execution.close()
        raise
    return execution, replay


def _is_record_of(event: e.Event, command: c.Command) -> bool:
    expected = _RECORD_OF[type(command)]
    identity = _IDENTITY.get(expected)
    return type(event) is expected and not (identity and getattr(event, identity) != getattr(command, identity))


def _same(event: e.Event, command: c.Command) -> bool:
    if isinstance(event, e.AttributesSet) and isinstance(command, c.SetAttributes):
        return event.attributes == command.attributes
    if isinstance(event, e.Marker) and isinstance(command, c.RecordMarker):
        return (event.kind, event.name) == (command.kind, command.name)
    return _is_record_of(event, command)


def _describe(thing: e.Event | c.Command) -> str:
    name = next((getattr(thing, a) for a in ("key", "name", "update") if hasattr(thing, a)), None)
    return f"{type(thing).__name__}({name})" if name else type(thing).__name__
