"""Moves what waits in the inbox into journals.

Rows are consumed one by one, in the transaction that journals them; nothing is consumed by watermark. Hints from other
processes only make the next look come sooner; the slow look is the truth.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from segue.errors import PayloadError, StoreError, StoreUnavailable
from segue.kernel import events as e
from segue.runtime import children, incidents, modifying, outside, pauses, transactions
from segue.runtime.intake import Intake
from segue.runtime.journal import NONE, Values
from segue.runtime.loading import Loading
from segue.runtime.outbox import Outbox
from segue.runtime.resident import Resident
from segue.runtime.telling import about
from segue.stores.base import RESIDENT, InboxRow, Status
from segue.stores.place_rows import NotAtHand, Placed

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

log = logging.getLogger("segue.mail")
AT_ONCE = 200
RETRY = 0.5


class Mail:
    """The inbox, and whatever else is to be looked after when the database has changed."""

    def __init__(self, conductor: Conductor, loading: Loading) -> None:
        self._conductor = conductor
        self._loading = loading
        self._loop = asyncio.get_running_loop()
        self._holds = pauses.Holds(conductor, loading)
        self._halted: dict[int, int] = {}
        self._values: dict[int, Values] = {}
        """Of messages, by run: what has been fetched from outside the database."""
        self._timer: asyncio.TimerHandle | None = None
        self.intake = Intake(conductor, loading, self._ready)
        self._slow = 0.0
        self._closed = False
        self.also: Callable[[], None] = lambda: None
        """What else is looked after when the database has changed, and now and then."""
        self.stirred: Callable[[], None] = lambda: None
        """Called when owners have come, gone or let go of something."""
        self._outbox = Outbox(conductor)
        self._read: frozenset[int] = frozenset()
        """Runs whose mail has just been read."""
        if conductor.store.lease is not None:
            loading.arriving = self._arriving

    @property
    def busy(self) -> bool:
        return self._holds.busy or self.intake.busy

    def look_at_holds(self) -> None:
        """Which steps are paused has changed."""
        self._holds.refresh()

    def start(self) -> None:
        """Begins to look."""
        self._tick()

    def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self.intake.close()

    # --- looking ----------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        if self._closed:
            return
        settings = self._conductor.settings
        now = self._loop.time()
        # Set first: whatever goes wrong in one look, the next one comes.
        self._timer = self._loop.call_later(settings.poll, self._tick)
        try:
            if now >= self._slow or self._conductor.store.changed():
                self._slow = now + settings.slow_poll
                self.look()
            if self._conductor.store.stirred():
                self.stirred()
        except StoreUnavailable as error:
            log.debug("looking again later: %s", error)
        except StoreError as error:
            log.critical("cannot look for mail and for runs that are due: %s", error)

    def look(self) -> None:
        """Runs with mail, and runs that are due."""
        conductor = self._conductor
        # Runs that stand still keep their mail waiting; however many they are, they must not hide the others.
        limit = AT_ONCE + len(self._halted)
        self._holds.refresh()
        rows = conductor.store.inbox_runs(conductor.app, limit, only=conductor.only)
        if len(rows) < limit:
            self._halted = {row: left for row, left in self._halted.items() if row in set(rows)}
        for row in rows:
            self.poke(row)
        if conductor.slots:  # what is started here needs a slot of one's own
            self._outbox.look()
            self.also()
        self.intake.look()

    def look_later(self) -> None:
        """There may be mail for runs that were somebody else's until now, and steps that went on meanwhile."""
        self._slow = 0.0
        self._holds.sweep()

    def look_into_outbox(self) -> None:
        """Somebody's transaction has put something there."""
        if not self._closed:
            try:
                self._outbox.look()
            except StoreUnavailable as error:
                log.debug("looking into the outbox later: %s", error)

    def takeover(self) -> None:
        """Everything that the predecessor had in memory."""
        if self._closed:
            return
        try:
            self._holds.refresh()
            self.intake.take_over()
        except StoreUnavailable as error:
            log.warning("cannot look which runs to go on with: %s", error)
            self._loop.call_later(RETRY, self.takeover)

    def _ready(self, run: Resident | None) -> None:
        if run is None or (run.closed and not run.came_closed):
            return
        if run.run not in self._read:
            self.deliver(run)
        if run.held:
            self._holds.look_at(run)
        if run.execution is not None and not run.closed:
            self._conductor.fire(run)

    @contextmanager
    def _arriving(self, runs: list[Resident]) -> Iterator[None]:
        """While the runs were another owner's, whoever asks for one here now may have sent something by the inbox: that
        is journaled first, and read for all of them at once."""
        self._deliver_to(runs)
        self._read = frozenset(run.run for run in runs if not run.unread)
        try:
            yield
        finally:
            self._read = frozenset()

    # --- delivering -------------------------------------------------------------------------------------------

    def poke(self, row: int) -> None:
        """The run has mail."""
        if row not in self._halted or self._halted[row] != self._waiting(row):
            self._loading.load(row, self._ready)

    def reload(self, row: int) -> None:
        """The run has left memory and has to come back, with all its mail."""
        self._halted.pop(row, None)
        self._loading.load(row, self._ready)

    def _waiting(self, row: int) -> int:
        try:
            return len(self._conductor.store.inbox([row]))
        except StoreUnavailable:  # the slow look finds it again
            return 0

    def deliver(self, run: Resident) -> None:
        """Journals what waits for the run, in order of arrival."""
        self._deliver_to([run])

    def _deliver_to(self, runs: list[Resident]) -> None:
        if not runs:
            return
        try:
            rows = self._conductor.store.inbox([run.run for run in runs])
        except StoreUnavailable as error:
            for run in runs:
                log.debug("reading the mail of run %s later: %s", run.id, error, extra=about(run))
                run.unread = True
                self._loop.call_later(RETRY, self.poke, run.run)
            return
        for run in runs:
            run.unread = False
            self._deliver(run, [row for row in rows if row.run == run.run])

    def _deliver(self, run: Resident, rows: list[InboxRow]) -> None:
        left = 0
        for row in rows:
            if row.row in run.taken:
                continue
            if run.closed and run.row_state == "continued":
                continue  # it goes to the next run of the chain, in the commit that starts it
            if run.closed:
                # It came after the message that ended the run, and no longer stands in the way of the end.
                run.open_segment().consumed.append(row.row)
                continue
            if run.execution is None and row.kind not in ("resolve", "terminate"):
                left += 1
                continue
            try:
                event = self._conductor.journal.event(row.body, at_hand=self._values.get(run.run, NONE))
            except NotAtHand as error:
                self._fetch(run, error.placed)
                break  # what came later waits behind it
            except (PayloadError, msgspec.ValidationError) as error:
                incidents.halt(self._conductor, run, error)
                left += 1
                continue
            self._take(run, row, event)
        else:
            self._values.pop(run.run, None)
        if left and not run.closed:
            self._halted[run.run] = left
        else:
            self._halted.pop(run.run, None)

    def _fetch(self, run: Resident, placed: list[Placed]) -> None:
        """Gets a message's large value from outside the database; nothing overtakes the message meanwhile."""

        def there(values: Values) -> None:
            self._values[run.run] = {**self._values.get(run.run, NONE), **values}
            self.poke(run.run)

        run.unread = True
        self._conductor.fetching.fetch(
            ("mail", run.run), f"mail of run {run.id}", lambda: placed, there, lambda error: None,
            partial(self.poke, run.run),
        )  # fmt: skip

    def _take(self, run: Resident, row: InboxRow, event: e.Event) -> None:
        conductor = self._conductor
        run.taken[row.row] = None
        # The time of acceptance, so that a deadline which passed later does not win over it.
        stamped = msgspec.structs.replace(event, at=conductor.stamp(run, row.at))
        try:
            receive(conductor, run, row.kind, stamped)
        except Exception as error:  # a defect of ours: the run stands still, with the message; the others go on
            del run.taken[row.row]
            conductor.stumbled(run, error)
            return
        segment = run.open_segment()
        segment.consumed.append(row.row)
        segment.effects.append((run.taken.pop, (row.row, None)))
        conductor.writer.touch(run)


def receive(conductor: Conductor, run: Resident, kind: str, event: e.Event) -> None:
    """Gives a message to its run."""
    _RECEIVE[kind](conductor, run, event)


def _apply(conductor: Conductor, run: Resident, event: e.Event) -> None:
    conductor.apply(run, event)


def _step(conductor: Conductor, run: Resident, event: e.Event) -> None:
    assert isinstance(event, (e.StepCompleted, e.StepFailed))
    outside.received(conductor, run, event)


def _child(conductor: Conductor, run: Resident, event: e.Event) -> None:
    children.note(run, event)
    conductor.apply(run, event)


def _terminate(conductor: Conductor, run: Resident, event: e.Event) -> None:
    assert isinstance(event, e.RunTerminated)
    if run.execution is not None:
        run.execution.close()
        run.execution = None
    conductor.close(run, run.open_segment(), event, "terminated", None, conductor.journal.brief_reason(event.reason))
    conductor.writer.touch(run)


def _resolve(conductor: Conductor, run: Resident, event: e.Event) -> None:
    assert isinstance(event, e.IncidentResolved)
    # Replay takes the repair of the run as a whole, "", for the end of all that was missed: it comes last.
    keys = [event.key] if event.key else sorted(run.incidents, reverse=True)
    whole = run.execution is None
    for key in keys:
        incidents.resolved(run, key)
        conductor.apply(run, msgspec.structs.replace(event, key=key or None))
    if whole:
        # Back by replay, with the code as it is now; due from this commit on, whoever does it.
        segment = run.open_segment()
        segment.status = Status("running", RESIDENT, run.at)
        run.row_wake, run.row_state = RESIDENT, "running"
        segment.effects.append((conductor.rebuild, (run,)))


def _parent_closed(conductor: Conductor, run: Resident, event: e.Event) -> None:
    policy = run.parent.close_policy if run.parent is not None else "abandon"
    if policy == "cancel":
        _apply(conductor, run, event)
    elif policy == "terminate":
        _terminate(conductor, run, e.RunTerminated(event.at, event.actor, None, "its parent has ended"))


_RECEIVE: dict[str, Callable[[Conductor, Resident, e.Event], None]] = {
    "signal": _apply,
    "update": _apply,
    "task": _apply,
    "step": _step,
    "pause": pauses.pause,
    "resume": pauses.resume,
    "child": _child,
    "outcome": transactions.received,
    "cancel": _apply,
    "terminate": _terminate,
    "resolve": _resolve,
    "parent-closed": _parent_closed,
    "modify": modifying.take,
}
