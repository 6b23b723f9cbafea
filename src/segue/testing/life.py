"""One life of a simulated process: an engine on a virtual loop, from its opening to its death or to the end of the run.

Death is sudden: the loop stops between two instructions, and nothing that belonged to the process acts any more.
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from segue.authoring.python.definitions import STEPS
from segue.client.handles import Handle, HumanTask
from segue.encodings import default_encodings
from segue.engine import OPEN
from segue.errors import CallerError, Incident, UpdateFailed
from segue.kernel import events as e
from segue.kernel.attempt import derive_key
from segue.kernel.encoding import Encodings
from segue.owner.host import Logs
from segue.owner.serving import Duty
from segue.runtime.attempts import Outcome, Running, context_of
from segue.runtime.resident import Resident
from segue.runtime.settings import Settings
from segue.stores.base import RunFilter, Store
from segue.stores.faults import Crash as StoreCrash
from segue.stores.log_rows import LogLine
from segue.testing.mocks import is_mocked, result_of
from segue.testing.plan import Fails, Fault, Late, Lost, Sent, Slow
from segue.testing.scene import Message, Release, Scene
from segue.testing.staged import StagedAttempts, StagedEngine
from segue.testing.virtual_loop import InPlace, VirtualLoop

CHORES = 1e9
"""Seconds between looks that find nothing here, as everything happens in this process."""
REPAIR = 3600.0
"""Seconds after which somebody has mended what a run stands still on."""
MENDABLE = ("step-exhausted", "process-lost")


class Death(StoreCrash, SystemExit):
    """The end of a simulated process. As a ``SystemExit`` it leaves the loop from within any callback at once."""


class Outage(ConnectionError):
    """What a step fails with when the plan says so."""


class Course(Protocol):
    """What a life needs to know of the plan that it is part of."""

    commits: int
    done: set[str]
    store: Store | None
    scene: Scene

    def execution(self, step: str, call: str) -> list[Fault]: ...

    def sent(self, message: str, within: float, *, by_commit: bool = True) -> Sent: ...

    def note(self, text: str) -> None: ...

    def wrap(self, store: Store) -> Store: ...

    def moved(self) -> None:
        """A step took some time, by itself."""

    def new_uid(self) -> str: ...

    def release(self, name: str) -> None:
        """From the next life on, the code is that of a release of the scene."""


@functools.cache
def _encodings() -> Encodings:
    """The same for every life: workflows and steps are bound to them once."""
    return default_encodings()


class _Unkept(Logs):
    """What steps print goes where it went before, and is not kept."""

    def add(self, line: LogLine) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


class SimulatedAttempts(StagedAttempts):
    """Attempts to which happens what the plan says. All run on the loop; plain functions on the spot."""

    course: Course

    def start(self, running: Running) -> None:
        running.attempts = self
        self.running.add(running)
        waits = running.command.spec.schedule_to_start
        if waits is not None:
            self._limit(running, "schedule_to_start", waits)
        if running.allowed is None:
            self._begin(running)
        else:
            self.line_up(running)

    def _begin(self, running: Running) -> None:
        if running.command.spec.executor == "transaction" and not is_mocked(running.runner):
            self._transact_as_planned(running)
        else:
            running.follow(self._performing(running))

    def _performing(self, running: Running) -> asyncio.Task[Any]:
        name = f"step {_call(running)}"
        return self._loop.create_task(self._perform(running), name=name, context=context_of(running))

    def _transact_as_planned(self, running: Running) -> None:
        """Effect and outcome are one commit, and what happens to that happens to both."""
        call = _call(running)
        faults = {type(fault): fault for fault in self.course.execution(running.attempt.name, call)}
        late: Any = faults.get(Late)
        if Fails in faults:
            self._loop.call_later(0 if late is None else late.by, running.finish, Outcome(error=_unreachable(call)))
        else:
            self._loop.call_later(0 if late is None else late.by, self.transact, running)

    async def _perform(self, running: Running) -> Any:
        call = _call(running)
        faults = {type(fault): fault for fault in self.course.execution(running.attempt.name, call)}
        if (late := faults.get(Late)) is not None:
            await asyncio.sleep(late.by)  # type: ignore[attr-defined]
        self._begun(running)
        if Fails in faults:
            raise _unreachable(call)
        began = self._loop.time()
        try:
            result = await self._body(running)
        finally:
            if self._loop.time() > began:
                self.course.moved()
        self.course.note(f"{call} takes effect")
        if (slow := faults.get(Slow)) is not None:
            await asyncio.sleep(slow.by)  # type: ignore[attr-defined]
        if Lost in faults:
            raise Outage(f"the simulation says that the answer of {call} is lost")
        return result

    async def _body(self, running: Running) -> Any:
        runner = running.runner
        arguments = runner.decode(running.command.input)
        if running.command.spec.executor == "loop" or is_mocked(runner):
            return await runner.call(arguments)
        return await asyncio.to_thread(runner.call, arguments)


def _unreachable(call: str) -> Outage:
    return Outage(f"the simulation says that {call} cannot be reached")


def _call(running: Running) -> str:
    """The call as a plan names it: its key, with the workflow before it if it is a child's."""
    attempt = running.attempt
    key = attempt.key.lstrip("/")
    return key if attempt.run_id == RUN else f"{attempt.workflow}:{key}"


RUN = "simulated"
"""The id of the run that is simulated."""


class SimulatedEngine(StagedEngine):
    """The engine of one life."""

    def __init__(self, url: str, *, course: Course, evicts: bool, **options: Any) -> None:
        settings = Settings(cache=0 if evicts else 1000, memory="off", poll=CHORES, slow_poll=CHORES, stall=0)
        super().__init__(
            url, mocks=course.scene.mocks, settings=settings, durability="relaxed", store=course.store,
            encodings=_encodings(), **options,
        )  # fmt: skip
        self._course = course

    def _open_store(self) -> tuple[Store, Logs]:
        opened, _ = super()._open_store()
        self._course.store = opened
        return self._course.wrap(opened), _Unkept()

    def _equip(self, duty: Duty) -> None:
        attempts = SimulatedAttempts(threads=1, processes=duty.processes)
        attempts.course = self._course
        self._put_in(attempts, duty)
        duty.conductor.writer.aside = InPlace(self.store)
        duty.loading.stopwatch = attempts.stopwatch = self._host.stopwatch = self.loop.time

    def _new_uid(self) -> str:
        return self._course.new_uid()

    def open_tasks(self) -> list[HumanTask]:
        """Human tasks that wait for an answer."""
        rows = self.store.tasks(self.namespace)
        return [HumanTask.of(row, lambda data: self.encodings.decode(self.journal.payload(data))) for row in rows]

    def beyond_repair(self, run: int) -> str:
        """Why nobody can just let the run go on; empty if somebody can."""
        still: dict[str | None, e.IncidentOpened] = {}
        names: dict[str, str] = {}
        for _, event in self.events_of(run):
            match event:
                case e.IncidentOpened():
                    still[event.key] = event
                case e.IncidentResolved():
                    still = {} if event.key is None else {key: i for key, i in still.items() if key != event.key}
                case e.StepStarted() | e.StepFailed():
                    names[event.key] = event.name
        for key, incident in still.items():
            step = STEPS.get(names.get(key or "", ""))
            if incident.cause not in MENDABLE or (incident.cause == "process-lost" and step and step.spec.at_most_once):
                return f"{incident.cause}: {incident.message}"
        return ""

    def vanish(self) -> None:
        """What the system does when a process is gone: its lock is free, and nothing of it is left in the others."""
        OPEN.discard(self)
        duty, opened = self._duty, self._course.store
        if duty is not None and opened is not None:
            duty.give_back_process()
            opened.release(duty.fence, clean=False)

    def bury(self) -> None:
        """Closes the runs that were in memory; their ``finally`` blocks cannot act."""
        for run in list(self._duty.conductor.residents.values()) if self._duty is not None else ():
            if run.execution is not None:
                run.execution.close()


class Life:
    """An engine at work, and those who send it messages, answer its tasks and mend what it stands still on."""

    def __init__(self, engine: SimulatedEngine, loop: VirtualLoop, course: Course) -> None:
        self.engine = engine
        self._loop = loop
        self._course = course
        self._handle: Handle[Any] | None = None
        self._over: asyncio.Future[None] = loop.create_future()
        self._waiting: dict[str, int] = {}
        """Messages that wait for a number of commits."""
        self._unplanned: list[str] = []
        """Messages that come when the run has nothing else to do."""
        self._asked: set[tuple[int, str]] = set()
        self._looking = False
        self._acting: set[asyncio.Task[None]] = set()
        self._to_mend: set[int] = set()

    async def live(self, start: Callable[[SimulatedEngine], Any]) -> None:
        """Returns when nothing more is going to happen. Raises ``Death``."""
        await self.engine.open()
        self.engine.watch_runs(self._heard)
        self._handle = await start(self.engine)
        for row in await self.engine.list(RunFilter(states=("incident",), limit=1000)):
            self._expect_repair(row.run)
        scene = self._course.scene
        comings: list[Message | Release] = [*scene.messages.values(), *scene.releases.values()]
        for coming in comings:
            if coming.name not in self._course.done:
                self._plan(self._course.sent(coming.name, coming.within))
        self._look()
        await self._over

    # --- what the loop tells ----------------------------------------------------------------------------------

    def committed(self) -> None:
        """One more commit is on disk."""
        self._loop.moved()
        for name in [name for name, commit in self._waiting.items() if commit <= self._course.commits]:
            self._act(name)
        if self._course.scene.people and not self._looking and self._handle is not None:
            self._looking = True
            self._loop.call_soon(self._look)

    def rest(self) -> bool:
        """Nothing is left to do at this time: the next message of which the plan says nothing may come."""
        if not self._unplanned:
            return False
        self._act(self._unplanned.pop(0))
        return True

    def idle(self) -> None:
        """Nothing is left to do: a message that waits for a commit need wait no longer."""
        if self._waiting:
            self._act(next(iter(self._waiting)))
        elif not self._over.done():
            self._over.set_result(None)
        else:
            raise AssertionError("the loop goes on after its end")

    # --- messages ---------------------------------------------------------------------------------------------

    def _plan(self, sent: Sent) -> None:
        if sent.after is not None:
            self._loop.call_at(sent.after, self._act, sent.message)
        elif sent.commit is None:
            self._unplanned.append(sent.message)
        else:
            self._waiting[sent.message] = sent.commit
            if sent.commit <= self._course.commits:
                self._act(sent.message)

    def _act(self, name: str) -> None:
        self._waiting.pop(name, None)
        self._begin(self._send(name))

    async def _send(self, name: str) -> None:
        assert self._handle is not None
        if name in self._course.scene.releases:
            self._course.release(name)
            raise Death
        self._course.note(f"{name} comes")
        try:
            await result_of(self._course.scene.messages[name].errand(self._handle))
        except (CallerError, UpdateFailed, Incident) as error:
            # The run has ended, has said no, has failed at what it was asked, or stands still over it.
            self._course.note(f"{name} comes to nothing: {error}")
        self._course.done.add(name)

    def _begin(self, errand: Any) -> None:
        task = self._loop.create_task(errand)
        self._acting.add(task)
        task.add_done_callback(self._acted)

    def _acted(self, task: asyncio.Task[None]) -> None:
        self._acting.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._over.done():
            self._over.set_exception(error)  # a mistake in the scene

    # --- people -----------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Gives new tasks to those who answer them."""
        self._looking = False
        people = self._course.scene.people
        for task in self.engine.open_tasks() if people else ():
            person = people.get(task.assignee)
            if person is None or (task.task, task.assignee) in self._asked:
                continue
            self._asked.add((task.task, task.assignee))
            sent = self._course.sent(f"{task.assignee} on {task.name}", person.within, by_commit=False)
            self._loop.call_later(sent.after or 0.0, self._answer, task.task, task.assignee)

    def _answer(self, number: int, assignee: str) -> None:
        self._begin(self._reply(number, assignee))

    async def _reply(self, number: int, assignee: str) -> None:
        for task in self.engine.open_tasks():
            if (task.task, task.assignee) == (number, assignee):
                answer = await result_of(self._course.scene.people[assignee].reply(task))
                if answer is not None:
                    await self._complete(task, answer)

    async def _complete(self, task: HumanTask, answer: Any) -> None:
        self._course.note(f"{task.assignee} answers {task.name!r}")
        try:
            await self.engine.complete_task(task, answer, by=task.assignee)
        except CallerError as error:
            self._course.note(f"the answer of {task.assignee} to {task.name!r} comes to nothing: {error}")

    # --- repair -----------------------------------------------------------------------------------------------

    def _heard(self, run: Resident, event: e.Event) -> None:
        if isinstance(event, e.IncidentOpened):
            self._course.note(f"the run stands still: {event.cause}: {event.message}")
            self._expect_repair(run.run)

    def _expect_repair(self, run: int) -> None:
        if run not in self._to_mend and not self.engine.beyond_repair(run):
            self._to_mend.add(run)
            self._loop.call_later(REPAIR, lambda: self._begin(self._repair(run)))

    async def _repair(self, run: int) -> None:
        self._to_mend.discard(run)
        with suppress(CallerError):
            await self.engine.retry(run)
            self._course.note("somebody has mended what the run stood still on")


def new_uid(seed: int, number: int) -> str:
    """The internal id of the so-manieth run of a plan."""
    return derive_key(f"simulation {seed}", str(number))


def jitter(seed: int) -> Callable[[], float]:
    """Draws for the jitter of retries."""
    return random.Random(f"jitter {seed}").random
