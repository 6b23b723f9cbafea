"""Brings runs back into memory by replay, in slices, so that a long history does not hold up the others."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from segue.errors import PayloadError, StoreError, StoreUnavailable, Unstorable
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.adoption import CODE, OtherCode, Past
from segue.kernel.execution import Execution
from segue.kernel.replay import Replay
from segue.runtime import children, decisions, dispatch, incidents, modifying, pauses, pinned
from segue.runtime.carry import CARRY
from segue.runtime.journal import NONE, Values
from segue.runtime.resident import Resident
from segue.runtime.telling import ABOUT, about
from segue.stores.attempt_rows import Head
from segue.stores.base import CLOSED, RESIDENT, RunRow
from segue.stores.place_rows import NotAtHand, Placed

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

log = logging.getLogger("segue.loading")

SLICE = 0.010
TOGETHER = 32
"""Runs whose rows and mail are read at once: where a network lies in between, the way there and back counts."""
STRIDE = 32
"""Events that are replayed between two looks at the clock."""
HEAD = 8
"""Events of each run that are read together: most runs have no more when they come. Few, since each may be large."""
TAIL = 100
RETRY = 0.5

Then = Callable[[Resident | None], None]


class Loading:
    """Runs on their way into memory. Asking twice for the same one loads it once.

    Attributes:
        stopwatch: seconds, to tell when a slice is over; on virtual time none ever is.
    """

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, list[Then]] = {}
        self._queue: deque[int] = deque()
        self._beginning = False
        self.stopwatch: Callable[[], float] = time.perf_counter
        self._together: list[tuple[int, Resident | None]] | None = None
        self.arriving: Callable[[list[Resident]], AbstractContextManager[None]] = lambda runs: nullcontext()
        """Around those who asked for runs that have come into memory."""
        self._values: dict[int, Values] = {}
        self._hurried: dict[int, list[Then]] = {}
        self.unreadable: dict[int, StoreError] = {}
        """Runs whose journal could not be read when it was last tried, and why."""
        self.away: dict[int, StoreError] = {}
        """Runs whose large values are on their way, or could not be had when they were last asked for, and why."""

    @property
    def loading(self) -> list[int]:
        """Runs on their way into memory."""
        return list(self._waiting)

    @property
    def count(self) -> int:
        """How many runs are on their way into memory."""
        return len(self._waiting)

    def awaits(self, row: int) -> bool:
        """Whether the run is on its way into memory."""
        return row in self._waiting

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    def load(self, row: int, then: Then, *, hurried: bool = False) -> None:
        """Calls ``then`` with the run once it is in memory, or with None if it is closed or gone; ``hurried``: or as
        soon as it is known that the run waits for large values from outside the database (``away``)."""
        conductor = self._conductor
        resident = conductor.residents.get(row)
        if resident is not None and row not in self._waiting:
            conductor.idle.pop(row, None)
            then(resident)
            conductor.rest(resident)
            return
        if hurried and row in self._waiting and row in self.away:
            then(None)
            return
        known = row in self._waiting
        self._waiting.setdefault(row, []).append(then)
        if hurried:
            self._hurried.setdefault(row, []).append(then)
        if not known:
            self._queue.append(row)
            if not self._beginning:
                self._beginning = True
                self._loop.call_soon(self._begin_some)

    def _begin_some(self) -> None:
        """As many as fit a slice: a takeover of thousands must not keep the lease from being renewed."""
        until = self.stopwatch() + SLICE
        rows = [self._queue.popleft() for _ in range(min(len(self._queue), TOGETHER))]
        known = self._read(rows)
        together: list[tuple[int, Resident | None]] = []
        self._together = together
        try:
            while rows:
                self._begin(rows.pop(0), known)
                if self.stopwatch() > until:
                    break
        finally:  # whatever one run has come to, the others come
            self._together = None
            self._queue.extendleft(reversed(rows))
            if self._queue:
                self._loop.call_soon(self._begin_some)
            else:
                self._beginning = False
            self._arrive(together)

    def _read(self, rows: list[int]) -> _Known | None:
        """What is known of them; None if each has to be asked for by itself, because one of them cannot be read."""
        store = self._conductor.store
        try:
            return _Known(store.runs(rows), store.heads(rows, HEAD))
        except StoreError:
            return None

    def _begin(self, row: int, known: _Known | None = None) -> None:
        try:
            found = self._conductor.store.run(row) if known is None else known.rows.get(row)
        except StoreUnavailable:
            self._loop.call_later(RETRY, self._begin, row)
            return
        except StoreError as error:
            self._unreadable(row, error)
            return
        if found is None or found.state in CLOSED:
            self._conductor.gone(row)
            self._done(row, None)
            return
        if not self._conductor.owns(found.slot):  # somebody else's: whoever asks for it has to go by the database
            self._done(row, None)
            return
        only = self._conductor.only
        if only is not None and found.workflow not in only:
            self._done(row, None)
            return
        head = None if known is None else known.heads.get(row)
        self._slice(found, _replay(self._conductor, found, head, self._values.get(row, NONE)))

    def _fetch(self, row: RunRow, placed: list[Placed]) -> None:
        """Gets what the run refers to from outside the database, while others go on; then it begins anew."""

        def there(values: Values) -> None:
            self._values[row.run] = values
            self._begin(row.run)

        def away(error: StoreError) -> None:
            self._done(row.run, None, error)

        self.away[row.run] = NotAtHand(placed)
        for then in self._hurried.pop(row.run, ()):
            self._waiting[row.run].remove(then)
            self._tell(row.run, then, None)
        places = self._conductor.store.places
        self._conductor.fetching.fetch(
            ("run", row.run), f"run {row.id}", lambda: [*placed, *places.of_run(row.run)], there, away,
            partial(self._conductor.poke, row.run),
        )  # fmt: skip

    def _slice(self, row: RunRow, steps: Iterator[Resident | None]) -> None:
        until = self.stopwatch() + SLICE
        try:
            for resident in steps:
                if resident is not None:
                    self._done(row.run, resident)
                    return
                if self.stopwatch() > until:
                    self._loop.call_soon(self._slice, row, steps)
                    return
        except NotAtHand as error:
            self._fetch(row, error.placed)
            return
        except StoreUnavailable:
            self._loop.call_later(RETRY, self._begin, row.run)
            return
        except StoreError as error:
            self._unreadable(row.run, error)
            return
        self._done(row.run, None)

    def _unreadable(self, row: int, error: StoreError) -> None:
        """No other run is held up by it, and the next message or look tries again."""
        if row not in self.unreadable:
            log.critical("run %d cannot be read: %s", row, error, extra={ABOUT: {"run": row}})
        self.unreadable[row] = error
        self._conductor.unreadable(row, error)
        self._hurried.pop(row, None)
        for then in self._waiting.pop(row, ()):
            then(None)

    def _done(self, row: int, resident: Resident | None, away: StoreError | None = None) -> None:
        self.unreadable.pop(row, None)
        self.away.pop(row, None)
        if away is not None:
            self.away[row] = away
        self._values.pop(row, None)
        if self._together is None:
            self._arrive([(row, resident)])
        else:
            self._together.append((row, resident))

    def _arrive(self, together: list[tuple[int, Resident | None]]) -> None:
        with self.arriving([resident for _, resident in together if resident is not None]):
            for row, resident in together:
                self._hurried.pop(row, None)
                for then in self._waiting.pop(row, ()):
                    self._tell(row, then, resident)

    def _tell(self, row: int, then: Then, resident: Resident | None) -> None:
        try:
            then(resident)
        except Exception as error:
            failed = {"message": f"run {row} was loaded, and who asked for it failed", "exception": error}
            self._loop.call_exception_handler(failed)


class _Known(NamedTuple):
    rows: dict[int, RunRow]
    heads: dict[int, Head]


def _replay(conductor: Conductor, row: RunRow, head: Head | None, values: Values) -> Iterator[Resident | None]:
    """Yields None between events, then the resident run. ``values``: large ones that are at hand."""
    try:
        yield from _replay_with(conductor, row, None, head, values)
    except OtherCode:
        past = yield from _past(conductor, row, values)
        yield from _replay_with(conductor, row, past, head, values)


def _journal(conductor: Conductor, row: RunRow, head: Head | None) -> Iterator[tuple[int, bytes]]:
    """The run's events, of which the first ones may be known already."""
    if head is not None:
        yield from head.events
    if head is None or len(head.events) == HEAD:
        yield from conductor.store.journal(row.run, after=0 if head is None else HEAD)


def _past(conductor: Conductor, row: RunRow, values: Values) -> Generator[None, None, Past | None]:
    """Reads ahead what other code has recorded; yields between events."""
    events: list[e.Event] = []
    try:
        for stride in strides(conductor.journal.read(conductor.store.journal(row.run), at_hand=values)):
            events.extend(event for _, event in stride)
            yield None
    except StoreUnavailable:
        raise
    except Exception:  # one that does not decode hides those behind it, which the replay tells of
        log.debug("run %s: the end of its journal does not decode", row.id, extra=about(row))
    execution = conductor.definitions.execution(row.workflow, row.version)
    assert execution is not None, "it has just met other code"
    return Past.of(events, execution.version)


def _replay_with(
    conductor: Conductor, row: RunRow, past: Past | None, head: Head | None, values: Values
) -> Iterator[Resident | None]:
    events = conductor.journal.read(_journal(conductor, row, head), at_hand=values)
    execution, why = _definition(conductor, row)
    run = conductor.resident(row, execution)
    if execution is None:
        yield from _without_code(conductor, run, row, events, why)
        return
    replay = Replay(execution, past)
    halted = False
    error: Exception | None = None
    first: e.Event | None = None
    try:
        for stride in strides(events):
            first = first or stride[0][1]
            for seq, event in stride:
                halted = _note(run, seq, event, halted)
            if error is None:
                try:
                    replay.feed_all(event for _, event in stride)
                except OtherCode:
                    raise
                except Exception as problem:
                    error = problem
            yield None
        if error is None:
            replay.finish()
            if any(isinstance(command, (c.RunStep, c.AwaitStep)) for command in execution.outstanding()):
                # What was read before a long replay may have changed.
                kept = head.attempts if head is not None and len(head.events) < HEAD else None
                conductor.heartbeats.load(run.run, kept)
    except (StoreUnavailable, OtherCode):
        execution.close()
        raise
    except Exception as problem:  # an event that does not decode hides those behind it, or the end does not replay
        error = problem
        run.seq, halted = _end(conductor, row, halted)
    run.durable = run.seq
    if first is not None and run.durable == 1:
        conductor.on_run(run, first)  # started by a client, or not got any further
    _take_up(conductor, run, replay, error, halted)
    yield run


def strides(events: Iterator[tuple[int, e.Event]]) -> Iterator[list[tuple[int, e.Event]]]:
    """The events in groups; those that come before one that does not decode are given out before the error."""
    while True:
        stride: list[tuple[int, e.Event]] = []
        try:
            stride.extend(islice(events, STRIDE))
        except Exception:
            if stride:
                yield stride
            raise
        if not stride:
            return
        yield stride


def _definition(conductor: Conductor, row: RunRow) -> tuple[Execution | None, str]:
    """A new execution, or why there can be none; no reason is given if only the run's version is not to be had."""
    workflow = row.workflow
    try:
        execution = conductor.definitions.execution(workflow, row.version)
        if workflow in conductor.definitions.names():
            return execution, ""
        return execution, f"no workflow named {workflow!r} is known here"
    except Exception as error:  # the user's annotations are evaluated for it
        log.exception("workflow %s cannot be used", workflow)
        return None, f"workflow {workflow!r} cannot be used: {type(error).__name__}: {error}"


def _end(conductor: Conductor, row: RunRow, halted: bool) -> tuple[int, bool]:
    """The number of a run's last event, and whether the run stands still as a whole, from the end of its journal."""
    tail = conductor.store.tail(row.run, TAIL)
    for _, data in tail:
        try:
            ((_, event),) = conductor.journal.read([(0, data)], apart=True)
        except (PayloadError, msgspec.MsgspecError):
            continue
        if isinstance(event, (e.IncidentOpened, e.IncidentResolved)) and not event.key:
            halted = isinstance(event, e.IncidentOpened)
            break
    return tail[0][0], halted


def _note(run: Resident, seq: int, event: e.Event, halted: bool) -> bool:
    """Keeps account of incidents and children; says whether the run as a whole stands still."""
    run.seq, run.at = seq, event.at
    if isinstance(event, e.IncidentOpened):
        run.incidents[event.key or ""] = None
        run.incident_text = f"{event.cause}: {event.message}"[:500]
    elif isinstance(event, e.IncidentResolved):
        incidents.resolved(run, event.key)
    elif isinstance(event, e.Modified):
        modifying.note(run, event)
    elif isinstance(event, e.RunStarted):
        run.parent, run.started = event.parent, event
    elif isinstance(event, (e.Paused, e.Resumed)):
        pauses.note(run, event)
    else:
        children.note(run, event)
    return "" in run.incidents


def _take_up(conductor: Conductor, run: Resident, replay: Replay, error: Exception | None, halted: bool) -> None:
    """The journal is replayed: the run becomes resident and goes on, or stands still."""
    conductor.residents[run.run] = run
    execution = run.execution
    assert execution is not None
    refused = conductor.unstorable.pop(run.run, None)
    if halted:
        # It was found standing still, and nobody has resolved it: whatever replay says now is not news.
        execution.close()
        run.execution = None
        conductor.rest(run)
        return
    if error is None and refused is not None:
        error = Unstorable(f"the database cannot store what the run wrote next ({refused})")
    if error is None:
        try:
            outstanding = execution.outstanding()
            takeover = [c.RecordMarker(CODE, execution.version)] if replay.taken_over else []
            _carry_out(conductor, run, [*takeover, *replay.awaited, *replay.missed, *outstanding])
        except Exception as problem:
            error = problem
    if error is not None:
        incidents.halt(conductor, run, _known(error, run))
        return
    run.came_closed = run.closed
    conductor.expect_deadline(run, execution)
    wake, _ = conductor.outlook(run)
    if wake != run.row_wake or run.row_wake == RESIDENT or run.segment is not None:
        run.open_segment()
        conductor.release_or_write(run)
    else:
        conductor.rest(run)


def _carry_out(conductor: Conductor, run: Resident, commands: list[c.Command]) -> None:
    for command in commands:
        if run.paused is not None and isinstance(command, (c.RunStep, c.StartChild, c.RecordDecision)):
            run.withheld = True
        elif isinstance(command, c.RunStep):
            dispatch.resume(conductor, run, command)
        else:
            CARRY[type(command)](conductor, run, run.open_segment(), command)
    if run.decided:
        decisions.record(conductor, run)


def _known(error: Exception, run: Resident) -> Exception:
    if not isinstance(error, incidents.KNOWN):
        log.error("run %s does not replay", run.id, exc_info=error, extra=about(run))
    return error


def _without_code(
    conductor: Conductor, run: Resident, row: RunRow, events: Iterator[tuple[int, e.Event]], why: str
) -> Iterator[Resident | None]:
    """The workflow's definition is not to be had here: that is an incident, unless it is one already."""
    halted = False
    for seq, event in events:
        halted = _note(run, seq, event, halted)
        yield None
    run.durable = run.seq
    conductor.residents[run.run] = run
    if halted:
        conductor.rest(run)
    elif why and not pinned.may_come(conductor, row):
        incidents.missing_definition(conductor, run, why)
    else:
        pinned.wait(conductor, run, row, why)
    yield run
