"""One simulated run, from its start to the point where nothing more happens, through all deaths of its process."""

from __future__ import annotations

import asyncio
import inspect
import os
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from segue.authoring.python.definitions import WORKFLOWS, Workflow
from segue.client.asking import updates_of
from segue.client.handles import Handle
from segue.errors import InvalidArgument
from segue.stores.base import CLOSED, Answer, Batch, RunRow, Store
from segue.stores.faults import CrashAfter, CrashBefore, FaultyStore, LoseAcknowledgement, Refuse
from segue.stores.faults import Fault as StoreFault
from segue.testing import rounds
from segue.testing.clock import DAWN
from segue.testing.life import RUN, Death, Life, SimulatedEngine, jitter, new_uid
from segue.testing.luck import Luck
from segue.testing.moment import Invariant, Moment, name_of
from segue.testing.plan import Crash, Fault, Refused, Sent, Unacknowledged
from segue.testing.scene import Scene
from segue.testing.side_thread import SideThread
from segue.testing.virtual_loop import Held, LoopClock, VirtualLoop
from segue.testing.waits import waits_for

MOST_COMMITS = 100_000
ENDS = "the run comes to an end"


class Plot(msgspec.Struct, frozen=True):
    """What is simulated.

    Attributes:
        workflow, args: the run.
        set_scene: prepares what is around it, anew for each plan; its result is what invariants see as ``outside``.
        invariants: what has to hold.
        within: seconds of virtual time after which the run has to have ended.
    """

    workflow: Any
    args: tuple[Any, ...]
    set_scene: Callable[[Scene], Any]
    invariants: tuple[Invariant, ...]
    within: float


class Broken(msgspec.Struct, frozen=True):
    """Something that was to hold and did not."""

    what: str
    why: str
    error: BaseException | None = None
    """What the invariant raised."""


class Ending(msgspec.Struct):
    """How a simulated run went.

    Attributes:
        broken: what did not hold, if anything. state: of the run.
        told: what happened, line by line. commits, lives: how many there were.
        executions: how often each call of a step was executed.
    """

    broken: Broken | None
    state: str
    told: list[str]
    commits: int
    lives: int
    executions: Counter[tuple[str, str]]
    asked: frozenset[str] = frozenset()
    """Names of the updates that the scene has for the run."""
    answered: frozenset[str] | None = None
    """Names of the updates that the run, or one of its chain, has a handler for; None where nobody has looked."""


class _Halt(SystemExit):
    """An invariant is broken: nothing more has to happen. Leaves the loop from within any callback at once."""

    def __init__(self, broken: Broken) -> None:
        super().__init__()
        self.broken = broken


class _Watched(FaultyStore):
    """The store itself, with somebody who hears of each commit."""

    def __init__(self, store: Store, heard: Callable[[Batch], None]) -> None:
        super().__init__(store)
        self._heard = heard

    def commit(self, batch: Batch) -> list[Answer]:
        answers = super().commit(batch)
        self._heard(batch)
        return answers


class Play:
    """Plays one plan. Implements ``life.Course``."""

    def __init__(self, plot: Plot, luck: Luck, *, threads: SideThread) -> None:
        self.scene = Scene()
        self.commits = 0
        self.done: set[str] = set()
        self.store: Store | None = None
        self._plot = plot
        self._luck = luck
        self._threads = threads
        self._attempted = 0
        self._uids = 0
        self._rounds = rounds.Rounds()
        self._executions: Counter[tuple[str, str]] = Counter()
        self._told: list[tuple[float, str]] = []
        self._evicts = luck.evicted()
        self._over = False
        self._run: int | None = None
        self._lives: list[tuple[Life, VirtualLoop]] = []
        self._outside = plot.set_scene(self.scene)
        if inspect.iscoroutine(self._outside):
            self._outside.close()
            raise InvalidArgument("a plain function sets the scene; this one gives a coroutine, which nobody awaits")
        self._code: tuple[Workflow[..., Any], ...] = (plot.workflow,)

    def __call__(self) -> Ending:
        with _in_memory() as folder:
            try:
                return self._ending(f"sqlite:///{folder / 'segue.db'}")
            finally:
                self._bury()

    def _ending(self, url: str) -> Ending:
        broken: Broken | None = None
        try:
            while not self._live(url):
                self.note("the next process takes over")
            broken = self._judge()
        except _Halt as halt:
            broken = halt.broken
        state = "" if self._row is None else self._row.state
        told = [f"{at:+.3f} s  {text}" for at, text in self._told]
        ending = Ending(broken, state, told, self.commits, len(self._lives), self._executions)
        ending.asked = frozenset(message.update for message in self.scene.messages.values() if message.update)
        if broken is None and ending.asked and not self.scene.releases:  # a release may leave out what was there
            ending.answered = self._answered()
        return ending

    # --- lives ------------------------------------------------------------------------------------------------

    def _live(self, url: str) -> bool:
        """One life; says whether the run has come to its end in it."""
        begins = self._lives[-1][1].time() if self._lives else 0.0
        loop = VirtualLoop(
            self._threads, begins=begins, horizon=self._plot.within,
            on_rest=lambda: life.rest(), on_idle=lambda: life.idle(),
        )  # fmt: skip
        draw = jitter(self._luck.seed)
        engine = SimulatedEngine(
            url, course=self, evicts=self._evicts, workflows=self._at_hand(), clock=LoopClock(loop, DAWN), draw=draw
        )
        life = Life(engine, loop, self)
        self._lives.append((life, loop))
        try:
            loop.run_until_complete(life.live(self._start))
        except Death:
            return False
        except Held as held:
            raise held.error from held
        finally:
            engine.vanish()
        return True

    async def _start(self, engine: SimulatedEngine) -> Handle[Any]:
        if self._run is not None:
            return await engine.handle(RUN)
        # The same id with the same input is the same run, however often its start was begun.
        workflow = next(each for each in self._code if each.name == self._plot.workflow.name)
        handle: Handle[Any] = await engine.start(workflow, *self._plot.args, id=RUN)
        self._run = handle.run
        return handle

    def _bury(self) -> None:
        """Only now, when all is judged, may ``finally`` blocks of steps run that their process did not live to see."""
        for life, loop in self._lives:
            loop.set_exception_handler(lambda loop, context: None)
            life.engine.bury()
            for task in asyncio.all_tasks(loop):
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                with suppress(Exception):  # what the rest of a dead step does is nobody's business
                    task.get_coro().close()
            loop.close()
        if self.store is not None:
            self.store.close()

    # --- what lives ask for (Course) --------------------------------------------------------------------------

    def wrap(self, store: Store) -> Store:
        return FaultyStore(_Watched(store, self._committed), lambda number, batch: self._fault())

    def execution(self, step: str, call: str) -> list[Fault]:
        self._executions[step, call] += 1
        faults = self._luck.execution(step, call, self._executions[step, call])
        self.note(" and ".join(fault.told() for fault in faults) or f"{call} begins")
        return faults

    def sent(self, message: str, within: float, *, by_commit: bool = True) -> Sent:
        return self._luck.sent(message, within, by_commit=by_commit)

    def note(self, text: str) -> None:
        self._told.append((self._lives[-1][1].time(), text))

    def moved(self) -> None:
        self._rounds.moved()

    def new_uid(self) -> str:
        self._uids += 1
        return new_uid(self._luck.seed, self._uids)

    def release(self, name: str) -> None:
        self.note(f"{name} is deployed: the process is killed")
        for each in self.scene.releases.values():
            if each.name not in self.done:  # those before it too, should they not have come
                self.done.add(each.name)
                names = {workflow.name for workflow in each.workflows}
                self._code = (*(known for known in self._code if known.name not in names), *each.workflows)
            if each.name == name:
                return

    def _at_hand(self) -> list[Workflow[..., Any]] | None:
        """The workflows of the present release; None: all that are registered."""
        if not self.scene.releases:
            return None
        names = {workflow.name for workflow in self._code}
        others = [each for name in WORKFLOWS.names() if name not in names for each in WORKFLOWS.versions.all(name)]
        return [*others, *self._code]

    # --- commits ----------------------------------------------------------------------------------------------

    def _fault(self) -> StoreFault | None:
        self._attempted += 1
        fault = self._luck.commit(self._attempted)
        if fault is None:
            self.note(f"commit {self._attempted}")
            return None
        self.note(fault.told())
        match fault:
            case Crash(_, "before"):
                return CrashBefore(_die)
            case Crash():
                return CrashAfter(_die)
            case Refused():
                return Refuse("the simulation says that the store is down")
            case Unacknowledged():
                return LoseAcknowledgement("the simulation says that the acknowledgement is lost")
        raise AssertionError(f"{fault} is nothing that happens to a commit")

    def _committed(self, batch: Batch) -> None:
        self.commits += 1
        self._rounds.take(batch)
        if (endless := self._rounds.endless()) and not self._comes():
            raise _Halt(
                Broken(
                    ENDS,
                    f"{endless}, and no message or answer is to come. Have a mock, a signal or a deadline end the "
                    "loop; one that is to be that long sleeps for longer between its rounds",
                )
            )
        if self.commits > MOST_COMMITS:
            raise _Halt(
                Broken(
                    ENDS,
                    f"there were {MOST_COMMITS:,} commits, the most that a simulated run may have, and it goes on. "
                    "Give it less to do (fewer items, or rounds that are further apart), or have a mock, a signal or "
                    "a deadline end it",
                )
            )
        self._check()
        self._lives[-1][0].committed()

    def _comes(self) -> bool:
        """Whether something is to come yet that may end a loop."""
        engine = self._lives[-1][0].engine
        asked = any(task.assignee in self.scene.people for task in engine.open_tasks())
        works = self._run is not None and bool(engine.activity(self._run).attempts)
        return asked or works or not self.done.issuperset({*self.scene.messages, *self.scene.releases})

    # --- judging ----------------------------------------------------------------------------------------------

    def _check(self) -> None:
        moment = Moment(self._lives[-1][0].engine, self._run, self._outside, over=self._over)
        for invariant in self._plot.invariants:
            raised: BaseException | None = None
            try:
                held = invariant(moment)
                if inspect.iscoroutine(held):
                    held.close()
                    raise TypeError("an invariant is a plain function; this one gives a coroutine, which nobody awaits")
                if held is None or held:  # numpy's False, and an empty list where a promise is kept by what is in it
                    continue
                why = "it is not so"
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # pytest.fail() is no Exception
                raised = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
                why = f"{type(error).__name__}: {str(error) or _place(error)}"
            raise _Halt(Broken(name_of(invariant), why, raised))

    def _judge(self) -> Broken | None:
        row = self._row
        assert row is not None
        if row.state not in CLOSED and row.state != "incident":
            now = self._waits(row)
            return Broken(ENDS, f"it {now}, and nothing that is going to happen within the time will end it")
        if row.state == "incident":
            why = self._lives[-1][0].engine.beyond_repair(row.run)
            if not why.startswith("process-lost"):  # at most once: only a person knows
                return Broken(ENDS, f"it stands still: {why or row.error}")
        self._over = True
        self._check()
        return None

    def _waits(self, row: RunRow) -> str:
        """What an open run does, as far as it is known: of one that has left memory, its journal only."""
        engine = self._lives[-1][0].engine
        activity = engine.activity(row.run)
        what = waits_for(activity, [task for task in engine.open_tasks() if task.run == row.run])
        waits = f"waits for {what}" if what else f"is {row.state}"
        if activity.attempts:
            waits += " (in a simulation, what waits for a socket or another process has to be mocked)"
        return waits

    def _answered(self) -> frozenset[str]:
        engine = self._lives[-1][0].engine
        chain = Moment(engine, self._run, self._outside, over=True).chain
        found = [updates_of(engine.definitions, row, engine.events_of) for row in chain]
        return frozenset(name for names in found for name in names)

    @property
    def _row(self) -> RunRow | None:
        return None if self._run is None or self.store is None else self.store.latest(self._run)


def _place(error: BaseException) -> str:
    """Where an error without a message comes from."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].line} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""


def _die() -> None:
    raise Death


@contextmanager
def _in_memory() -> Iterator[Path]:
    """A folder for a database, in memory where the system has a place for that."""
    shared = "/dev/shm"
    place = shared if os.access(shared, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="segue-", dir=place) as name:
        yield Path(name)
