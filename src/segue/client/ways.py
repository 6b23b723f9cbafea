"""Two ways in which an engine carries out what it is asked: directly, where it owns the runs, or through the database.

Both acknowledge only what is on disk.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

import msgspec

from segue.client.answered import Events, answer_before, message_of, recorded_answer
from segue.client.ends import Ends
from segue.client.joint_commits import JointCommits
from segue.errors import (
    Incident,
    InvalidArgument,
    NotDeterministic,
    RunClosed,
    RunNotFound,
    StoreError,
    StoreUnavailable,
)
from segue.kernel import events as e
from segue.runtime.clock import Clock
from segue.runtime.conductor import Conductor
from segue.runtime.incidents import standing_still
from segue.runtime.loading import Loading
from segue.runtime.mail import receive
from segue.runtime.resident import Effect, Resident, Withheld, answer, refuse
from segue.runtime.scheduled import tell
from segue.stores.attempt_rows import ClaimAttempts, Claimed
from segue.stores.base import (
    CLOSED,
    CompleteTask,
    HoldStep,
    Operation,
    Post,
    Posted,
    Rejected,
    Started,
    StartRun,
    StepTold,
    Store,
    TaskAnswered,
    TellStep,
)
from segue.stores.place_rows import NotAtHand
from segue.stores.schedule_rows import ScheduleWritten, WriteSchedule

Replayed = Callable[[], Awaitable[Any]]
"""Answers a query from the journal, see ``segue.client.asking``."""


class Elsewhere(Exception):
    """The run is another owner's: what is to be done with it goes through the database."""


class _NotKnownNow(Exception):
    """The database does not answer, and what it knows matters: asked again in a moment."""


class Direct:
    """For the owner: everything goes through its own writer, in the same transactions as the runs themselves."""

    def __init__(self, conductor: Conductor, loading: Loading, held: Callable[[], None]) -> None:
        self._conductor = conductor
        self._loading = loading
        self._held = held

    def _submit(self, operation: Operation, then: Callable[..., None], *args: Any) -> asyncio.Future[Any]:
        """What comes of an operation, once ``then(*args, answer)`` has seen to it."""
        future: asyncio.Future[Any] = self._conductor.new_future()
        # A partial, where a closure would be four objects: thousands of starts at once wait here.
        self._conductor.writer.submit(operation, functools.partial(_reply, future, then, *args))
        return future

    def start(self, operation: StartRun, event: e.RunStarted) -> Awaitable[Started]:
        return self._submit(operation, self._started, operation, event)

    def _started(self, operation: StartRun, event: e.RunStarted, answer: Started) -> None:
        conductor = self._conductor
        if answer.outcome == "started" and operation.rest is not None:
            conductor.poke(answer.run)
        elif answer.outcome == "started" and event.begin is not None:
            conductor.expect(event.begin)
        elif answer.outcome == "started":
            conductor.adopt(answer.run, event)
        elif answer.outcome == "existing" and answer.run not in conductor.residents:
            # It may be that only the acknowledgement of its start was lost.
            conductor.poke(answer.run)
        if answer.posted is not None:
            self._poke(answer.posted)

    async def post(self, post: Post, event: e.Event) -> Posted:
        assert post.run is not None
        again = bool(getattr(event, "message", ""))
        taken = False
        # A run that is closed, stands still, or is not this process's business: the inbox knows what to answer.
        with suppress(Elsewhere, RunClosed, RunNotFound, Incident, StoreError):
            if isinstance(event, e.SignalReceived):
                take = self._check_signal if again else self._take_signal
                taken = await self._with(post.run, functools.partial(take, event), hurried=True)
            elif post.kind == "cancel" and post.run in self._conductor.residents:
                taken = await self._with(post.run, functools.partial(self._take, event))
        if taken:
            return Posted("posted", None, post.run)
        return cast(Posted, await self._submit(post, self._poke))

    def _poke(self, answer: Posted) -> None:
        # A duplicate may be the same message once more, because the acknowledgement of the first try was lost.
        if answer.outcome in ("posted", "duplicate"):
            self._conductor.poke(answer.run)

    def _take(self, event: e.Event, run: Resident, taken: asyncio.Future[bool]) -> None:
        """A run in memory gets its message without the detour over the inbox; False where it has to go there."""
        if run.unread:
            answer(taken, False)  # nobody overtakes mail that has not been read
            return
        kind = "signal" if isinstance(event, e.SignalReceived) else "cancel"
        receive(self._conductor, run, kind, _later(event, self._conductor.stamp(run, event.at)))
        run.open_segment().effects.append((answer, (taken, True)))

    def _take_signal(self, event: e.SignalReceived, run: Resident, taken: asyncio.Future[bool]) -> None:
        assert run.execution is not None
        run.execution.validate_signal(event.name, event.payload)
        self._take(event, run, taken)

    def _check_signal(self, event: e.SignalReceived, run: Resident, taken: asyncio.Future[bool]) -> None:
        """One that may have come before goes through the inbox, which knows."""
        assert run.execution is not None
        run.execution.validate_signal(event.name, event.payload)
        answer(taken, False)

    async def complete_task(self, operation: CompleteTask) -> TaskAnswered:
        def then(answer: TaskAnswered) -> None:
            if answer.outcome == "completed":
                self._conductor.poke(answer.run)

        return cast(TaskAnswered, await self._submit(operation, then))

    async def tell_step(self, operation: TellStep) -> StepTold:
        def then(answer: StepTold) -> None:
            if answer.outcome == "told" and operation.body is not None:
                self._conductor.poke(answer.run)

        return cast(StepTold, await self._submit(operation, then))

    async def claim(self, operation: ClaimAttempts) -> Claimed:
        return cast(Claimed, await self._submit(operation, lambda answer: None))

    async def hold_step(self, operation: HoldStep) -> None:
        await self._submit(operation, lambda answer: self._held())

    async def write_schedule(self, operation: WriteSchedule) -> ScheduleWritten:
        def then(answer: ScheduleWritten) -> None:
            if answer.outcome == "written":
                tell(self._conductor, operation, answer)

        return cast(ScheduleWritten, await self._submit(operation, then))

    async def update(
        self, run: int, event: e.UpdateAccepted, body: Any, events: Events, *, fresh: bool
    ) -> e.UpdateCompleted:
        with self._awaiting(run, event.update) as future:
            if fresh:
                await self._with(run, functools.partial(self._update, event))
            elif (completed := await self._post_update(run, event, body, events)) is not None:
                return completed
            return await future

    async def answer_of(self, run: int, update: str, events: Events) -> e.UpdateCompleted:
        """The answer to an update that has been accepted."""
        with self._awaiting(run, update) as future:
            completed = recorded_answer(self._conductor.store, run, update, events)
            row = self._conductor.store.run(run)
            if completed is None and (row is None or row.state in CLOSED):
                raise _closed(self._conductor.store, run)
            if completed is None:
                with suppress(RunClosed):  # meanwhile, and then the future says how
                    await self._with(run, functools.partial(self._look, update))
            return completed or await future

    @contextmanager
    def _awaiting(self, run: int, update: str) -> Iterator[asyncio.Future[e.UpdateCompleted]]:
        waiting = self._conductor.updates.setdefault(run, {})
        futures = waiting.setdefault(update, [])
        future: asyncio.Future[e.UpdateCompleted] = asyncio.get_running_loop().create_future()
        futures.append(future)
        try:
            yield future
        finally:
            futures.remove(future)
            if not futures:
                waiting.pop(update, None)
            if not waiting and self._conductor.updates.get(run) is waiting:
                del self._conductor.updates[run]
            if future.done() and not future.cancelled():
                future.exception()  # seen, even where something else ended the wait

    async def _post_update(
        self, run: int, event: e.UpdateAccepted, body: Any, events: Events
    ) -> e.UpdateCompleted | None:
        """An update that may have come before: where it has, the inbox knows; None while it is under way."""
        stands: Incident | None = None
        try:
            if await self._with(run, functools.partial(self._take_update, event)):
                return None
        except RunClosed:
            pass  # it may have been answered before that
        except Incident as error:
            stands = error
        data, blobs = body()
        post = Post("update", data, message_of(event.update), event.at, run=run, blobs=blobs)
        answered = await self._submit(post, self._poke)
        if answered.run not in (0, run):
            raise RunClosed(str(run), "continued")  # the run that goes on from it has it, and answers
        if answered.outcome != "posted":
            completed = recorded_answer(self._conductor.store, run, event.update, events)
            if completed is not None:
                return completed
        if answered.outcome != "posted" and (answered.outcome != "duplicate" or answered.state in CLOSED):
            raise _closed(self._conductor.store, run)
        if stands is not None:
            raise stands
        return None

    async def check(self, run: int, event: e.SignalReceived | e.UpdateAccepted) -> None:
        """Has the run look at a message, before anything is recorded."""
        look = self._check_signal if isinstance(event, e.SignalReceived) else self._validate
        with suppress(NotAtHand):  # who takes it up looks at it then
            await self._with(run, functools.partial(look, event), hurried=True)  # type: ignore[arg-type]

    def _update(self, event: e.UpdateAccepted, run: Resident, accepted: asyncio.Future[None]) -> None:
        assert run.execution is not None
        run.execution.validate_update(event.name, event.payload)
        self._conductor.apply(run, _later(event, self._conductor.stamp(run, event.at)))
        run.open_segment().effects.append((answer, (accepted, None)))

    def _take_update(self, event: e.UpdateAccepted, run: Resident, taken: asyncio.Future[bool]) -> None:
        """The first of its id goes the short way, like a fresh one; False for any other."""
        if run.unread or not self._first(event, run):
            answer(taken, False)
            return
        self._conductor.apply(run, _later(event, self._conductor.stamp(run, event.at)))
        segment = run.open_segment()
        segment.extras.remembered.append(message_of(event.update))
        segment.effects.append((answer, (taken, True)))

    def _validate(self, event: e.UpdateAccepted, run: Resident, valid: asyncio.Future[None]) -> None:
        self._first(event, run)
        answer(valid, None)

    def _first(self, event: e.UpdateAccepted, run: Resident) -> bool:
        """Whether no update of its id has come before; then its validator has agreed to it.

        Raises:
            Incident: it has, and a call that it waits for stands still.
        """
        assert run.execution is not None
        if run.execution.knows_update(event.update):
            _standing_behind(run, event.update)
            return False
        try:
            if self._conductor.store.knows_message(run.run, message_of(event.update)):
                return False
        except StoreUnavailable:
            raise _NotKnownNow from None
        run.execution.validate_update(event.name, event.payload)
        return True

    def _look(self, update: str, run: Resident, fine: asyncio.Future[None]) -> None:
        """Raises ``Incident`` if a call that the update waits for stands still."""
        _standing_behind(run, update)
        answer(fine, None)

    async def query(self, run: int, name: str, arguments: list[Any], replayed: Replayed) -> Any:
        try:
            return await self._with(run, functools.partial(self._query, name, arguments))
        except RunClosed as error:
            if error.state == "continued":
                raise
            return await replayed()

    def _query(self, name: str, arguments: list[Any], run: Resident, future: asyncio.Future[Any]) -> None:
        assert run.execution is not None
        found = run.execution.query(name, arguments)
        # What it saw may not be on disk yet; nothing is answered before that.
        segment = run.segment or run.in_flight
        if segment is None:
            answer(future, found)
        else:
            segment.effects.append((answer, (future, found)))

    async def _with(
        self, run: int, act: Callable[[Resident, asyncio.Future[Any]], None], *, hurried: bool = False
    ) -> Any:
        """Has ``act`` answer with the run in memory, in a plain callback of the loop, where alone a run may be driven.

        Raises:
            RunClosed, RunNotFound, Incident: the run answers nothing.
            StoreUnavailable: its large values cannot be had from outside the database; ``hurried``: not at once.
        """
        loop = asyncio.get_running_loop()
        while True:
            future: asyncio.Future[Any] = loop.create_future()
            asked = functools.partial(self._act, run, act, future)
            loop.call_soon(functools.partial(self._loading.load, run, asked, hurried=hurried))
            try:
                return await future
            except Withheld:
                if self._conductor.writer.stopped is not None:
                    raise self._conductor.writer.stopped from None

    def _act(
        self,
        row: int,
        act: Callable[[Resident, asyncio.Future[Any]], None],
        future: asyncio.Future[Any],
        run: Resident | None,
    ) -> None:
        try:
            if run is None and row in self._loading.unreadable:
                raise self._loading.unreadable[row]
            if run is None and row in self._loading.away:
                raise self._loading.away[row]
            if run is None:
                raise self._why_not_here(row)
            if run.closed:
                raise Withheld  # its end may yet be taken back: asked again once it is known
            if run.execution is None:
                raise Incident(f"run {run.id!r} stands still: {run.incident_text}", run_id=run.id)
            act(run, future)
        except _NotKnownNow:
            asyncio.get_running_loop().call_later(Remote.RETRY, _withhold, future)
        except Exception as error:  # a query's or a validator's own too: whoever asked learns of it
            # A refusal tells as much as an answer does, and is held back like one.
            effects: list[Effect] = [(refuse, (future, error))]
            if run is not None and isinstance(error, NotDeterministic):
                # What it touched is not what the journal says any more.
                effects.append((self._rebuild, (run,)))
            segment = None if run is None else run.segment or run.in_flight
            if segment is not None:
                segment.effects.extend(effects)
                return
            for function, args in effects:
                function(*args)
        if run is not None:
            self._conductor.rest(run)

    def _why_not_here(self, run: int) -> Exception:
        row = self._conductor.store.run(run)
        open_elsewhere = row is not None and row.state not in CLOSED and not self._conductor.owns(row.slot)
        return Elsewhere() if open_elsewhere else _closed(self._conductor.store, run)

    def _rebuild(self, run: Resident) -> None:
        if self._conductor.residents.get(run.run) is run and not run.closed:
            self._conductor.rebuild(run)

    async def closing_event(self, run: int, events: Events) -> e.Event:
        while True:
            future: asyncio.Future[e.Event] = self._conductor.new_future()
            waiters = self._conductor.waiters.setdefault(run, [])
            waiters.append(future)
            try:
                ended, acted = self._look_for_the_end(run, events)
                if ended is not None and not acted:
                    return ended
                if not acted:
                    return await future
                await asyncio.wait([future], timeout=Remote.POLL)
                if future.done():
                    return await future
            except Withheld:
                pass  # it is looked for again
            finally:
                if future in waiters:
                    waiters.remove(future)
                if not waiters and self._conductor.waiters.get(run) is waiters:
                    del self._conductor.waiters[run]

    def _look_for_the_end(self, run: int, events: Events) -> tuple[e.Event | None, bool]:
        """What is on disk, unless only the run in memory knows; and whether a person has acted on that since."""
        resident = self._conductor.residents.get(run)
        if resident is not None and resident.execution is not None and not resident.incidents:
            return None, False
        ended, acted = _standing(self._conductor.store, run, events)
        if ended is None and run in self._loading.unreadable:
            raise self._loading.unreadable[run]
        return ended, acted

    async def changed(self, run: int, after: int) -> None:
        """Returns once there may be events of the run behind that number."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        followers = self._conductor.followers.setdefault(run, [])

        def follow(resident: Resident, segment: Any) -> None:
            answer(future, None)

        followers.append(follow)
        try:
            # A run that is owned elsewhere by now, or whose commit came in between, is found by looking again.
            await asyncio.wait([future], timeout=1.0)
        finally:
            followers.remove(follow)
            if not followers:
                self._conductor.followers.pop(run, None)


class Remote:
    """For everybody else: operations that go into the database; the owner finds them by itself."""

    RETRY = 0.1
    POLL = 0.02

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._commits = JointCommits(store)
        self._ends = Ends(store, self.POLL)

    async def _commit(self, operation: Operation) -> Any:
        # Every operation may be repeated: a uid, a message id, a task is taken once.
        for _ in range(100):
            try:
                answer = await self._commits.commit(operation)
            except StoreUnavailable as error:
                last = error
                await asyncio.sleep(self.RETRY)
            else:
                if isinstance(answer, Rejected):
                    raise _unstorable(answer)
                return answer
        raise last

    async def start(self, operation: StartRun, event: e.RunStarted) -> Started:
        return cast(Started, await self._commit(operation))

    async def post(self, post: Post, event: e.Event) -> Posted:
        return cast(Posted, await self._commit(post))

    async def complete_task(self, operation: CompleteTask) -> TaskAnswered:
        return cast(TaskAnswered, await self._commit(operation))

    async def tell_step(self, operation: TellStep) -> StepTold:
        return cast(StepTold, await self._commit(operation))

    async def claim(self, operation: ClaimAttempts) -> Claimed:
        return cast(Claimed, await self._commit(operation))

    async def hold_step(self, operation: HoldStep) -> None:
        await self._commit(operation)

    async def write_schedule(self, operation: WriteSchedule) -> ScheduleWritten:
        return cast(ScheduleWritten, await self._commit(operation))

    async def update(
        self, run: int, event: e.UpdateAccepted, body: Any, events: Events, *, fresh: bool
    ) -> e.UpdateCompleted:
        # It may be in the journal already, when whoever asks was the owner until a moment ago.
        if not any(isinstance(x, e.UpdateAccepted) and x.update == event.update for _, x in events(run)):
            data, blobs = body()
            post = Post("update", data, message_of(event.update), event.at, run=run, blobs=blobs)
            posted = await self.post(post, event)
            if posted.outcome == "unknown":
                raise _closed(self._store, run)
            run = posted.run or run  # the run that goes on from it may have it
        return await self.answer_of(run, event.update, events)

    async def answer_of(self, run: int, update: str, events: Events) -> e.UpdateCompleted:
        """The answer to an update that has been accepted, or why there will be none."""
        if (completed := answer_before(self._store, run, update, events)) is not None:
            return completed
        after, stands = 0, None
        while True:
            for seq, recorded in events(run, after=after):
                after = seq
                if isinstance(recorded, e.UpdateCompleted) and recorded.update == update:
                    return recorded
                if isinstance(recorded, e.CLOSING):
                    raise _closed(self._store, run)
                if isinstance(recorded, (e.IncidentOpened, e.IncidentResolved)) and recorded.key is None:
                    stands = recorded
            if (
                isinstance(stands, e.IncidentOpened)
                and not _acted_upon(self._store, run, stands)
                and next(iter(events(run, after=after)), None) is None  # its owner may just have taken up what was said
            ):
                raise standing_still(str(run) if (row := self._store.run(run)) is None else row.id, stands)
            if isinstance(stands, e.IncidentOpened):
                await asyncio.sleep(self.POLL)  # what a person has said may come to nothing, of which no event tells
            else:
                await self.changed(run, after)

    async def check(self, run: int, event: e.SignalReceived | e.UpdateAccepted) -> None:
        """Only the owner can ask the run beforehand."""

    async def query(self, run: int, name: str, arguments: list[Any], replayed: Replayed) -> Any:
        return await replayed()

    async def closing_event(self, run: int, events: Events) -> e.Event:
        while True:
            await self._ends.of(run)
            ended, acted = _standing(self._store, run, events)
            if ended is not None and not acted:
                return ended
            await asyncio.sleep(self.POLL)  # a person has acted on that, and its owner has not got to it yet

    async def changed(self, run: int, after: int) -> None:
        """Returns once there may be events of the run behind that number."""
        await self._ends.event(run, after)


def _reply(future: asyncio.Future[Any], then: Callable[..., None], *args: Any) -> None:
    """Whoever waits for an operation learns what came of it, after ``then`` has seen to it; the answer is the last
    of ``args``."""
    answer = args[-1]
    if isinstance(answer, Rejected):
        answer = _unstorable(answer)
    if not isinstance(answer, Exception):
        try:
            then(*args)
        except Exception as error:  # a defect of ours: whoever waits hears of it
            answer = error
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _standing_behind(run: Resident, update: str) -> None:
    """Raises ``Incident`` if a call that the update waits for stands still."""
    assert run.execution is not None
    if any(update in run.execution.updates_behind(key) for key in run.incidents):
        raise Incident(f"run {run.id!r} stands still: {run.incident_text}", run_id=run.id)


def _withhold(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_exception(Withheld())


def _unstorable(answer: Rejected) -> InvalidArgument:
    return InvalidArgument(f"the database cannot store what was given ({answer.reason}); nothing was changed")


def _ended(store: Store, run: int, events: Events) -> e.Event | None:
    """The event that closed the run or stopped it, if its row says so."""
    row = store.run(run)
    if row is None:
        raise RunNotFound(str(run))
    if row.state not in CLOSED and row.state != "incident":
        return None
    wanted: tuple[type[e.Event], ...] = e.CLOSING if row.state in CLOSED else (e.IncidentOpened,)
    for seq, _ in store.tail(run, 100):
        event = next(event for _, event in events(run, after=seq - 1))
        if isinstance(event, wanted):
            return event
    return None


def _standing(store: Store, run: int, events: Events) -> tuple[e.Event | None, bool]:
    """The event that closed the run or stopped it, if any did; and whether a person has acted on that since."""
    ended = _ended(store, run, events)
    if not isinstance(ended, e.IncidentOpened):
        return ended, False
    if _acted_upon(store, run, ended):
        return ended, True
    return _ended(store, run, events), False  # between the two looks its owner may have taken up what a person said


def _acted_upon(store: Store, run: int, ended: e.Event | None) -> bool:
    """Whether a person has repaired or ended a run that stands still, and its owner has not got to it yet."""
    if not isinstance(ended, e.IncidentOpened):
        return False
    return any(row.kind in ("resolve", "terminate") for row in store.inbox([run]))


def _closed(store: Store, run: int) -> RunClosed | RunNotFound:
    """Why a run takes no more messages."""
    row = store.run(run)
    return RunNotFound(str(run)) if row is None else RunClosed(row.id, row.state)


def _later(event: Any, at: int) -> Any:
    return event if event.at >= at else msgspec.structs.replace(event, at=at)
