"""Keeps runs moving: applies events to executions, records them, and carries out what they ask for after the commit.

The order for every event is the same: stamp, record, apply, record what follows purely from it, hand the segment to the
writer, and release the effects once it is on disk. Nothing leaves before.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from segue.errors import RunClosed
from segue.kernel import events as e
from segue.kernel.execution import Execution
from segue.kernel.notice import Notice
from segue.kernel.payload import Payload
from segue.kernel.ramp import Ramp
from segue.kernel.report import Occasion, RunReport
from segue.kernel.schedule import Target
from segue.kernel.steps import StepRunner
from segue.runtime import children, decisions, dispatch, hooks, incidents, outgoing, outside, transactions
from segue.runtime.attempts import Attempts, Outcome, Running
from segue.runtime.carry import CARRY
from segue.runtime.clock import Clock
from segue.runtime.fetching import Fetching
from segue.runtime.heartbeats import Heartbeats
from segue.runtime.journal import JournalFormat
from segue.runtime.resident import NEVER, Finished, Resident, Segment, Withheld, refuse
from segue.runtime.settings import Settings
from segue.runtime.telling import about
from segue.runtime.timers import Timers
from segue.runtime.witness import Witness, tell
from segue.runtime.writer import Writer
from segue.stores.base import APPENDED, RESIDENT, Appended, HoldStep, Rejected, RunRow, Status, Store
from segue.stores.owning import Served, Slots, version_of, within

log = logging.getLogger("segue.conductor")

MOST_AWAITED = 20
"""Signals of which a run's row says that it waits for them."""


class Definitions(Protocol):
    """The code of an app, as the runtime sees it."""

    def execution(self, workflow: str, version: str) -> Execution | None:
        """A new execution of a workflow for a run of a version, None if none here may go on with it."""

    def version(self, workflow: str, id: str | None = None) -> str:
        """The version that a new run gets, with this id if one is given; empty if the workflow is not known here."""

    def names(self) -> list[str]:
        """The workflows that are known here."""

    def pins(self) -> dict[str, list[str]]:
        """Workflows of which some versions are known here and others may not go on; see ``stores.owning.Served``."""

    def versions(self) -> dict[str, str]:
        """What is served: each workflow with its version."""

    def ramps(self) -> dict[str, Ramp]:
        """The versions that are being ramped up, by the names of their workflows."""

    def arguments(self, workflow: str, input: str) -> tuple[Payload, str]:
        """Payload and hash of arguments that are given as a JSON list. Raises ``CallerError``, ``PayloadError``."""

    def runner(self, step: str) -> StepRunner | None: ...

    def timeout(self, workflow: str) -> int | None:
        """How long (µs) a run may take, as the workflow itself says."""

    def hook(self, workflow: str, occasion: Occasion) -> Target | None:
        """What is to be run when a run of the workflow ends so, or stands still."""

    def notice(self, rule: str, notice: Notice) -> tuple[str, Payload, str]:
        """How somebody outside is told by a rule: the workflow, its input and the hash of that."""

    def call(self, target: Target, report: RunReport) -> tuple[str, Payload, str]:
        """How a hook is started: the workflow, its input and the hash of that."""


class Conductor:
    """All runs that this process owns."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        definitions: Definitions,
        journal: JournalFormat,
        attempts: Attempts,
        app: str,
        worker: str,
        settings: Settings,
        draw: Callable[[], float],
        host: Any,
    ) -> None:
        self.store = store
        self.clock = clock
        self.definitions = definitions
        self.journal = journal
        self.attempts = attempts
        self.app = app
        self.worker = worker
        self.settings = settings
        self.draw = draw
        self.host = host
        self.residents: dict[int, Resident] = {}
        self.idle: dict[int, Resident] = {}
        self.waiters: dict[int, list[asyncio.Future[e.Event]]] = {}
        self.followers: dict[int, list[Callable[[Resident, Segment], None]]] = {}
        self.updates: dict[int, dict[str, list[asyncio.Future[e.UpdateCompleted]]]] = {}
        self.salvaged: dict[tuple[int, str, int], Finished] = {}
        self.unstorable: dict[int, str] = {}
        self.witnesses: tuple[Witness, ...] = ()
        self.waiting_for_version: dict[int, int] = {}
        self.passing: frozenset[str | int] = frozenset()
        """Workflows and runs that are being passed on to another worker just now."""
        self.held: dict[tuple[str, str], HoldStep] = {}
        self.slots: tuple[Slots, ...] = ()
        self.others: tuple[Served, ...] = ()
        self.inherited = 0
        """The highest number of a run that was there when slots came here: a predecessor may have begun those."""
        self._evicting = False
        self.call_soon = asyncio.get_running_loop().call_soon
        self.new_future = asyncio.get_running_loop().create_future
        self.on_dispossessed: Callable[[Exception], None] = lambda error: None
        self.on_run: Callable[[Resident, e.Event], None] = lambda run, event: None
        self.reload: Callable[[Resident], None] = lambda run: None
        self.poke: Callable[[int], None] = lambda run: None
        self.expect: Callable[[int], None] = lambda at: None
        self.look_into_outbox: Callable[[], None] = lambda: None
        self.writer = Writer(store, self, prepare=self.prepare)
        self.timers = Timers(clock, self._due)
        self.heartbeats = Heartbeats(self)
        self.fetching = Fetching(store)
        attempts.transact = partial(transactions.start, self)

    @property
    def only(self) -> list[str] | None:
        """The workflows whose runs are this process's business; None for all."""
        return self.definitions.names() if self.settings.strangers == "leave" else None

    def version(self, workflow: str, id: str) -> str:
        """The version of a new run with this id: where its code is not here, as another owner of the app has it."""
        here = self.definitions.version(workflow, id)
        return here or next((found for each in self.others if (found := version_of(each, workflow, id))), "")

    def passes_on(self, run: Resident) -> bool:
        """Whether it is on its way to another worker, or may be."""
        return not self.passing.isdisjoint((run.workflow, run.run))

    def owns(self, slot: int) -> bool:
        """Whether runs in this slot are this process's."""
        return within(self.slots, slot) is not None

    # --- events -----------------------------------------------------------------------------------------------

    def stamp(self, run: Resident, at: int | None = None) -> int:
        """The time for a run's next event: never before its last one."""
        return max(run.at, self.clock.now() if at is None else at)

    def apply(self, run: Resident, event: e.Event) -> Segment:
        """Records an event and applies it; what follows from it joins the same segment."""
        segment = self.record(run, event)
        if run.execution is not None:
            self._drive(run, segment, event)
        self.writer.touch(run)
        return segment

    def record(self, run: Resident, event: e.Event) -> Segment:
        """Puts an event into the run's open segment."""
        segment = run.open_segment()
        data, blobs = self.journal.write(event)
        segment.events.append(data)
        if self.witnesses:
            segment.witness(event, run.at)
        if blobs:
            segment.extras.blobs.extend(blobs)
        run.seq += 1
        run.at = event.at
        return segment

    def begin(self, run: Resident, event: e.RunStarted) -> None:
        """First event of a run, on disk already."""
        self.residents[run.run] = run
        run.seq = run.durable = 1
        run.at = event.at
        run.started = event
        self.on_run(run, event)
        segment = run.open_segment()
        self._drive(run, segment, event)
        self.release_or_write(run)

    def _drive(self, run: Resident, segment: Segment, event: e.Event) -> None:
        execution = run.execution
        assert execution is not None
        if event.at >= run.deadline:
            # A message that was accepted before the deadline is seen before it: the store looks, in the transaction.
            segment.check_inbox = True
        try:
            execution.apply(event)
            if execution.commands:
                self.carry(run, segment, execution)
        except incidents.KNOWN as error:
            incidents.halt(self, run, error)
            return
        except Exception as error:  # a bug, ours or a library's: the run stands still, the others go on
            self.stumbled(run, error)
            return
        self.expect_deadline(run, execution)

    def expect_deadline(self, run: Resident, execution: Execution) -> None:
        """Sets the alarm for the run's earliest timer."""
        deadline = execution.deadline
        at = run.deadline = NEVER if deadline is None else deadline.at
        if run.awaited and run.paused is None:
            at = min(at, outside.next_check(run))
        if at != NEVER:
            self.timers.set(run.run, at)

    def carry(self, run: Resident, segment: Segment, execution: Execution) -> None:
        """Carries out what the execution asked for: records now, effects after the commit."""
        # Taken out first: carrying one out may apply a further event, whose commands are its own.
        commands, execution.commands = execution.commands, []
        for command in commands:
            CARRY[type(command)](self, run, segment, command)
        if run.decided:
            decisions.record(self, run)

    def release_or_write(self, run: Resident) -> None:
        """Writes the open segment if it has rows; otherwise nothing holds its effects back."""
        segment = run.segment
        if segment is None:
            return
        self.prepare(run, segment)
        if not segment.empty:
            self.writer.touch(run)
            return
        run.segment = None
        for function, args in segment.effects:
            function(*args)
        self.rest(run)

    def prepare(self, run: Resident, segment: Segment) -> None:
        """Last look at a segment before it is written: what the run's row has to say from then on."""
        if segment.closes or (segment.status is not None and run.execution is None):
            return
        as_before = run.row_state == "running" and run.row_wake == RESIDENT
        if as_before and run.active and not run.incidents and run.paused is None:
            return  # it is still under way
        wake, state = self.outlook(run)
        awaits = () if run.active or run.execution is None else tuple(run.execution.signals_awaited()[:MOST_AWAITED])
        if wake != run.row_wake or state != run.row_state or awaits != run.row_awaits:
            about = self.journal.brief(run.incident_text or run.paused)
            segment.status = Status(state, wake, run.at, about, self._timer_summary(run), awaits)
            run.row_wake, run.row_state, run.row_awaits = wake, state, awaits

    def outlook(self, run: Resident) -> tuple[int | None, str]:
        """What ``runs.wake`` and ``runs.state`` have to be: due while anything is under way, else the next timer."""
        if run.execution is None:
            return None, "incident"
        state = "running" if run.active else "paused" if run.held else "waiting"
        if run.incidents:
            state = "incident"
        elif run.paused is not None:
            state = "paused"
        if run.active:
            return RESIDENT, state
        deadline = run.execution.deadline
        wake = None if deadline is None else max(deadline.at, RESIDENT + 1)
        if run.awaited and run.paused is None:
            check = outside.next_check(run)
            wake = wake if check == NEVER else check if wake is None else min(wake, check)
        return wake, state

    def _timer_summary(self, run: Resident) -> str | None:
        """What the next timer is about, for the run's row."""
        deadline = None if run.execution is None or run.active else run.execution.deadline
        return None if deadline is None or deadline.summary is None else self.journal.seal_text(deadline.summary)

    # --- time -------------------------------------------------------------------------------------------------

    def _due(self, row: int) -> None:
        run = self.residents.get(row)
        if run is None or run.execution is None or run.closed:
            return
        self.fire(run)

    def fire(self, run: Resident) -> None:
        """Fires the timers that are due."""
        now = self.clock.now()
        if run.awaited and run.paused is None:
            outside.check(self, run, now)
        if run.execution is None or run.closed:
            return
        deadline = run.execution.deadline
        if deadline is None or deadline.at > now:
            self.expect_deadline(run, run.execution)
            if run.awaited:  # a heartbeat has moved what its row says of the next look
                run.open_segment()
                self.release_or_write(run)
            return
        if self.witnesses:
            tell(self.witnesses, Witness.fired, now - deadline.at)
        self.apply(run, e.TimerFired(self.stamp(run, now), None, None, deadline.timer, deadline.summary))

    # --- after the commit -------------------------------------------------------------------------------------

    def committed(self, run: Resident, segment: Segment, answer: Appended) -> None:
        """The segment is on disk: release what it held back."""
        run.durable += len(segment.events)
        if segment.witnessed:
            tell(self.witnesses, Witness.recorded, run, segment.seq, segment.since, segment.witnessed)
        if self.followers:
            for follow in list(self.followers.get(run.run, ())):
                follow(run, segment)
        for function, args in segment.effects:
            function(*args)
        if answer is not APPENDED:
            if answer.posted:
                outgoing.posted(self, run, segment, answer.posted)
            if answer.next:
                self.poke(answer.next)
            for started in answer.started:
                if started.run:
                    self.poke(started.run)
        self.rest(run)

    def rejected(self, run: Resident, segment: Segment, answer: Any) -> None:
        """The store left the segment out: the run is dropped and comes back from its journal.

        Outcomes of attempts that finished are kept, so that no side effect is repeated. What the database cannot store
        would only be refused again: once it is back, such a run stands still.
        """
        if isinstance(answer, Rejected):
            log.error("run %s: the database cannot store what it wrote: %s", run.id, answer.reason, extra=about(run))
            self.unstorable[run.run] = answer.reason
            segment.finished = [ended for ended in segment.finished if not ended.refused]
            for ended in segment.finished:
                ended.refused = True
        self._withdraw(run, segment)
        self.rebuild(run)

    def _withdraw(self, run: Resident, segment: Segment) -> None:
        """The segment will not be written: what it was to answer may be asked again, what has been done is kept."""
        segment.withhold()
        for ended in segment.finished:
            self.salvaged[run.run, ended.event.key, ended.event.attempt] = ended

    def dispossessed(self, error: Exception) -> None:
        """Somebody else owns the runs now, or the store has failed for good; whatever was not committed is void."""
        for run in list(self.residents.values()):
            self.drop(run)
        self.on_dispossessed(error)

    def rest(self, run: Resident) -> None:
        """An idle run may stay in memory for a while; the oldest one leaves when there are too many."""
        if run.closed or run.row_wake == RESIDENT or not run.idle or run.run not in self.residents:
            return
        self.idle.pop(run.run, None)
        self.idle[run.run] = run
        if len(self.idle) > self.settings.cache and not self._evicting:
            # In a turn of its own: whoever has just had the run loaded gets to use it first.
            self._evicting = True
            self.call_soon(self._evict)

    def _evict(self) -> None:
        self._evicting = False
        while len(self.idle) > self.settings.cache:
            oldest = self.idle.pop(next(iter(self.idle)))
            if oldest.idle and self.residents.get(oldest.run) is oldest:
                self.drop(oldest)
                if oldest.row_wake is not None:
                    self.expect(oldest.row_wake)

    def drop(self, run: Resident) -> None:
        """Takes a run out of memory."""
        if self.residents.get(run.run) is run:
            del self.residents[run.run]
            self.idle.pop(run.run, None)
            self.timers.forget(run.run)
            self.writer.forget(run)
        for running in run.active.values():
            if running is not None:
                self.attempts.withdraw(running)
        # Nothing that its last segments released may act for it any more.
        run.active = {}
        if run.in_flight is not None:
            self._withdraw(run, run.in_flight)
        if run.segment is not None:
            self._withdraw(run, run.segment)
        run.segment = run.in_flight = None
        if run.execution is not None:
            run.execution.close()
            run.execution = None

    def rebuild(self, run: Resident) -> None:
        """Has a run come back from its journal."""
        self.drop(run)
        self.reload(run)

    # --- the end of a run -------------------------------------------------------------------------------------

    def close(
        self, run: Resident, segment: Segment, event: e.Event, state: str, failure: e.Failure | None, error: str | None
    ) -> None:
        """Records the end of a run, tells its parent, and lets its children know."""
        self.record(run, event)
        run.closed = True
        segment.closes = True
        # Whatever came before the end must be seen first, unless a person has ended it, or the next run will see it.
        if state != "continued":
            segment.check_inbox = state != "terminated"
        segment.status = Status(state, None, event.at, error)
        run.row_wake, run.row_state = None, state
        if run.parent is not None and state != "continued":
            segment.extras.posts.append(children.tell_parent(self, run, event, state, failure))
        if run.children:
            segment.extras.posts.extend(children.parting(run))
        hooks.ended(self, run, segment, event, state)
        segment.effects.append((self._closed, (run, event)))

    def _closed(self, run: Resident, event: e.Event) -> None:
        self.on_run(run, event)
        if run.active:
            for running in list(run.active.values()):
                if running is not None:
                    running.done = None
                    self.attempts.stop(running)
            run.active.clear()
        for future in self.waiters.pop(run.run, ()):
            if not future.done():
                future.set_result(event)
        if self.updates:
            for asked in self.updates.pop(run.run, {}).values():
                for waiting in asked:
                    if not waiting.done():
                        waiting.set_exception(RunClosed(run.id, run.row_state))
        self._forget_outcomes(run.run)
        self.drop(run)

    def gone(self, row: int) -> None:
        """The run is closed or deleted, and not by this owner: whoever waits for it looks again."""
        for future in self.waiters.pop(row, ()):
            if not future.done():
                future.set_exception(Withheld())
        self._forget_outcomes(row)

    def unreadable(self, row: int, error: Exception) -> None:
        """The run cannot be read from the store, and will not be by trying again: whoever waits for it learns why."""
        for future in self.waiters.pop(row, ()):
            if not future.done():
                future.set_exception(error)

    def _forget_outcomes(self, row: int) -> None:
        self.heartbeats.forget(row)
        if self.salvaged:
            for key in [key for key in self.salvaged if key[0] == row]:
                del self.salvaged[key]

    def stands_still(self, run: Resident, event: e.IncidentOpened) -> None:
        """An incident is on disk: whoever waits for the run learns of it."""
        log.warning("run %s stands still: %s: %s", run.id, event.cause, event.message, extra=incidents.told(run, event))
        self.on_run(run, event)
        for future in self.waiters.pop(run.run, ()):
            if not future.done():
                future.set_result(event)
        asked = self.updates.get(run.run, {})
        stuck = list(asked) if event.key is None or run.execution is None else run.execution.updates_behind(event.key)
        for waiting in [future for update in stuck for future in asked.get(update, ())]:
            refuse(waiting, incidents.standing_still(run.id, event))

    def dismiss(self, error: Exception) -> None:
        """This owner is done: whoever waits here has to ask elsewhere."""
        waiting: list[asyncio.Future[Any]] = [future for futures in self.waiters.values() for future in futures]
        waiting += [future for asked in self.updates.values() for futures in asked.values() for future in futures]
        for future in waiting:
            if not future.done():
                future.set_exception(error)
        self.waiters.clear()
        self.updates.clear()

    def finished(self, running: Running, outcome: Outcome) -> None:
        """An attempt has ended."""
        try:
            dispatch.finished(self, running, outcome)
        except Exception as error:
            run = self.residents.get(running.attempt.run)
            if run is None:
                raise
            self.stumbled(run, error)

    def stumbled(self, run: Resident, error: Exception) -> None:
        """Something that should not happen did: a defect of ours. The run stands still and says so."""
        log.error("run %s cannot go on", run.id, exc_info=error, extra=about(run))
        if self.residents.get(run.run) is run and not run.closed:
            incidents.halt(self, run, error)

    def adopt(self, row: int, event: e.RunStarted) -> None:
        """A run that was started just now becomes resident here, without reading back what was written."""
        execution = self.definitions.execution(event.workflow, event.version)
        run = Resident(
            run=row, id=event.id, uid=event.uid, namespace=event.namespace, workflow=event.workflow, execution=execution
        )
        run.parent = event.parent
        if execution is None:
            self.poke(row)
        else:
            self.begin(run, event)

    def resident(self, row: RunRow, execution: Execution | None) -> Resident:
        """A run taken into memory."""
        run = Resident(
            run=row.run, id=row.id, uid=row.uid, namespace=row.namespace, workflow=row.workflow, execution=execution
        )
        run.row_wake, run.row_state, run.row_awaits, run.read = row.wake, row.state, row.awaits, True
        home = within(self.slots, row.slot)
        run.inherited = row.run <= self.inherited
        run.orphaned = run.inherited and home is not None and not home.clean
        return run
