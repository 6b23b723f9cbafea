"""A world for workflows to run in, in tests: the real engine on a real store, where time passes only when it may.

Time stands still while anything is under way, so a test never waits for the clock and never races with it. Attempts of
steps do their work, and have their timeouts, in real time.
"""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from segue.authoring.python.definitions import Step
from segue.client.handles import Handle, HumanTask
from segue.engine import OPEN, Engine
from segue.errors import InvalidArgument, PayloadError, RunClosed, SegueError
from segue.kernel.attempt import CURRENT
from segue.kernel.duration import Duration, microseconds
from segue.stores.base import CLOSED
from segue.testing.clock import DAWN, VirtualClock, instant
from segue.testing.mocks import UNSET, Mock, Mocks, Unset, result_of
from segue.testing.staged import StagedEngine
from segue.testing.waits import waits_for

P = ParamSpec("P")
R = TypeVar("R")
Action = Callable[[], object]
"""Its result is awaited if it can be."""
Reply = Callable[[HumanTask], Any]

CALM = 5
"""Turns of the event loop in which nothing may happen before the engine counts as settled."""


class Stuck(SegueError):
    """A run waits, and nothing that is going to happen by itself will wake it."""


class World:
    """An engine, its clock, and the people and events around it.

    Attributes:
        engine: the engine; use it as in production.
        clock: its clock.
    """

    def __init__(self, engine: StagedEngine, clock: VirtualClock, mocks: Mocks) -> None:
        self.engine = engine
        self.clock = clock
        self._mocks = mocks
        self._acting: set[asyncio.Future[Any]] = set()
        self._people: dict[str, tuple[Reply, Duration]] = {}
        self._asked: set[tuple[int, str]] = set()
        self._failure: BaseException | None = None

    # --- time -------------------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Waits until everything that can happen now has happened. Time stands still.

        Raises:
            InvalidArgument: the world is not open on this event loop, or what asks is itself waited for.
        """
        self._refuse_where_nothing_happens()
        while True:
            await self._calm()
            if not await self._ask_people():
                return

    def _refuse_where_nothing_happens(self) -> None:
        if asyncio.get_running_loop() is not self.engine.loop:
            raise InvalidArgument(
                "this world was opened on another event loop, and nothing of it happens here: use it in the loop that "
                "opened it (with pytest-asyncio, give its fixture and the test one loop_scope)"
            )
        if self.engine not in OPEN:
            raise InvalidArgument("this world is closed, and nothing happens in it any more: use it inside its block")
        attempt = CURRENT.get(None)
        if asyncio.current_task() in self._acting or (attempt is not None and attempt.host is self.engine._host):
            raise InvalidArgument(
                "time stands still while a step, or what was given to world.after(), is under way, and this is called "
                "from there: have the test let time pass"
            )

    async def advance(self, duration: Duration) -> None:
        """Lets time pass: what is due on the way happens in its order, and at its time."""
        await self._pass_until(self.clock.now() + microseconds(duration))

    async def result(self, handle: Handle[R], *, within: Duration = "3650d") -> R:
        """Lets time pass until the run has its result.

        Raises:
            Stuck: it waits for a signal or a person that will not come; the message says for what.
            TimeoutError: time has passed by more than ``within``, and the run goes on.
            RunFailed, RunCancelled, RunTerminated, Incident: as ``handle.result``.
        """
        given: Any = handle
        if inspect.iscoroutine(given):
            given.close()
            raise InvalidArgument("the run has not been started: handle = await world.engine.start(…)")
        if not isinstance(given, Handle):
            raise InvalidArgument(f"{given!r} is no run: handle = await world.engine.handle(id) finds the one of an id")
        limit = self.clock.now() + microseconds(within)
        looked = False
        while True:
            await self.settle()
            row = await handle.status()
            if row.state in CLOSED or row.state == "incident":
                return await handle.result()
            at = self.clock.next
            if at is None and not looked:
                self.engine.look()  # what another engine on this database has started or sent is not heard of at once
                looked = True
                continue
            if at is None:
                raise Stuck(await self._why(handle))
            looked = False
            if at > limit:
                raise TimeoutError(f"run {handle.id!r} is {row.state} after {within} of virtual time")
            self.clock.jump(at)

    async def _pass_until(self, end: int) -> None:
        await self.settle()
        while (at := self.clock.next) is not None and at <= end:
            self.clock.jump(at)
            await self.settle()
        self.clock.jump(end)
        await self.settle()

    async def _calm(self) -> None:
        calm = turns = 0
        while calm < CALM:
            turns += 1
            # Steps work in real time: after a while, look a thousand times a second and leave the processor to them.
            await asyncio.sleep(0 if turns < 100 else 0.001)
            calm = calm + 1 if self.engine.quiescent and not self._acting else 0
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure

    # --- steps ------------------------------------------------------------------------------------------------

    def mock(
        self,
        step: Step[P, R],
        *,
        returns: R | Unset = UNSET,
        raises: BaseException | type[BaseException] | None = None,
        side_effect: Callable[P, R | Awaitable[R]] | None = None,
        times: int | None = None,
    ) -> Mock[P, R]:
        """Has something else stand in for a step's function, in this world only.

        Args:
            step: the step; its retries, its timeout and the types of its arguments stay what they are.
            returns: the result of every attempt.
            raises: what every attempt fails with.
            side_effect: called as the step would be; ``def`` or ``async def``.
            times: for so many attempts; then the mock before it, or the step's own function, is back.

        Returns:
            the mock, which knows its calls.
        """
        return self._mocks.mock(
            step, returns=returns, raises=raises, side_effect=side_effect, times=times, encodings=self.engine.encodings
        )

    # --- what happens around it -------------------------------------------------------------------------------

    def at(self, when: datetime, action: Action) -> None:
        """Does something when the time has come, at once if it has passed: ``lambda: handle.signal("paid")``.

        A run that has ended by then takes no more signals; that is no error here.
        """
        _refuse_what_is_called(action, "world.at(time, lambda: handle.signal(…))")
        self.clock.call_at(instant(when), lambda: self._act(action))

    def after(self, delay: Duration, action: Action) -> None:
        """The same, counted from now."""
        _refuse_what_is_called(action, "world.after(delay, lambda: handle.signal(…))")
        self.clock.call_after(delay, lambda: self._act(action))

    def person(self, assignee: str, reply: Reply, *, after: Duration = 0) -> None:
        """Somebody who answers the human tasks that are put to ``assignee``.

        Args:
            assignee: who.
            reply: called with the task; its result, awaited if it can be, is the answer. None leaves the task open.
            after: how long the person takes. A task that has been answered, withdrawn or escalated by then is left.
        """
        _refuse_what_is_called(reply, "world.person(assignee, lambda task: Approval(True))")
        self._people[assignee] = (reply, after)

    async def _ask_people(self) -> bool:
        """Gives new tasks to those who answer them; says whether anybody answers at once."""
        if not self._people:
            return False
        at_once = False
        for task in await self.engine.tasks():
            known = self._people.get(task.assignee)
            if known is None or (task.task, task.assignee) in self._asked:
                continue
            self._asked.add((task.task, task.assignee))
            reply, delay = known
            # An escalated task came to this person when it was due.
            asked = task.due if task.due is not None and task.due <= self.clock.now() else task.opened_at
            answers = asked + microseconds(delay)
            self.clock.call_at(answers, partial(self._act, self._answer(task, reply)))
            at_once = at_once or answers <= self.clock.now()
        return at_once

    def _answer(self, task: HumanTask, reply: Reply) -> Action:
        async def answer() -> None:
            now_open = [t for t in await self.engine.tasks(assignee=task.assignee, run=task.run) if t.task == task.task]
            value = await result_of(reply(task)) if now_open else None
            if value is None:
                return
            try:
                await self.engine.complete_task(task, value, by=task.assignee)
            except (InvalidArgument, PayloadError) as error:
                error.add_note(f"so {task.assignee} answered {task.name!r}: {value!r}")
                raise

        return answer

    def _act(self, action: Action) -> None:
        async def act() -> None:
            await result_of(action())

        acting = asyncio.ensure_future(act())
        self._acting.add(acting)
        acting.add_done_callback(self._acted)

    def _acted(self, acting: asyncio.Future[Any]) -> None:
        self._acting.discard(acting)
        if not acting.cancelled() and not isinstance(acting.exception(), RunClosed):
            self._failure = self._failure or acting.exception()

    async def _why(self, handle: Handle[Any]) -> str:
        if not self.engine.owner:
            return (
                f"run {handle.id!r} is not this world's, which owns none (own=False), and lets no time pass for it: "
                "wait with handle.result(), or open the world that owns it"
            )
        what = waits_for(self.engine.activity(handle.run), await self.engine.tasks(run=handle.run))
        return (
            f"run {handle.id!r} waits for {what or 'something'}, and nothing that is planned "
            "will bring it: use world.person(), world.after(), or send it yourself"
        )


def _refuse_what_is_called(action: Any, example: str) -> None:
    if inspect.iscoroutine(action):
        action.close()
    if not callable(action):
        raise InvalidArgument(f"{action!r} cannot be called when the time has come; give a function: {example}")


@asynccontextmanager
async def engine(folder: Path | str, *, start: datetime | None = None, **options: Any) -> AsyncIterator[World]:
    """An engine on virtual time, on a database in ``folder``.

    Args:
        folder: where ``segue.db`` is, or will be.
        start: when time begins; by default ``DAWN``. With a database that is there already, time goes on from the last
            thing that happened in it.
        options: as for ``Engine``, but ``url`` and ``clock``.

    Raises:
        InvalidArgument: an option is a world's own, the time has no time zone, or another world is open on the same
            database.
    """
    if given := options.keys() & {"url", "clock"}:
        refused = " and ".join(sorted(given))
        raise InvalidArgument(f"{refused}: a world's database is in its folder, and its clock its own")
    file = Path(folder, "segue.db")
    url = f"sqlite:///{file}"
    clock = VirtualClock(start or DAWN)
    if file.exists():  # noqa: ASYNC240 -- one look at the start
        async with Engine(url, own=False, clock=clock) as past:
            clock.jump(max((row.changed_at for row in await past.list()), default=0))
    # The same draws in every run of the test: the jitter of retries must not decide what comes first.
    options.setdefault("draw", random.Random(0).random)
    mocks = Mocks()
    staged = StagedEngine(url, clock=clock, mocks=mocks, **options)
    async with staged as opened:
        if options.get("own", True) and not opened.owner:
            raise InvalidArgument(
                f"another world, or an engine, is at work on {file}; time and mocks of this one would change nothing: "
                "leave its block first, or give each a folder of its own"
            )
        yield World(staged, clock, mocks)
