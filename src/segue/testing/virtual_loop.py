"""An event loop on virtual time: when nothing can be done now, it is at once the time at which something can.

What would leave the loop's thread is waited for on the spot, so that the same program does the same things in the same
order whenever it is run.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import selectors
from collections.abc import Callable
from concurrent.futures import TimeoutError as NotInTime
from datetime import datetime
from typing import Any

from segue.errors import SegueError
from segue.stores.base import Answer, Batch, Store
from segue.testing.side_thread import SideThread

PATIENCE = 20.0
"""Seconds of real time that a plain function may take."""


MOST_TURNS = 300_000
"""Turns of the loop that may go by without a commit and without time going on."""


class Holds(SegueError):
    """Something does not end, and nothing else can happen meanwhile."""


class Held(SystemExit):
    """Leaves the loop at once, from within whatever would take an exception for its own: ``error`` is to be raised."""

    def __init__(self, error: Holds) -> None:
        super().__init__(str(error))
        self.error = error


class _Selector(selectors.DefaultSelector):
    """Never waits: time goes on instead."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout == 0:
            self.loop.turn()
        else:
            self.loop.leap()
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time is what ``leap`` makes it.

    Args:
        threads: where plain functions run, one at a time.
        begins: what ``time()`` says at first, in seconds.
        horizon: what lies behind it is nobody's business: chores that repeat for ever.
        on_rest: called when nothing is left to do at this time; says whether there is something now.
        on_idle: called when nothing is left to do before the horizon.
    """

    def __init__(
        self,
        threads: SideThread,
        *,
        begins: float,
        horizon: float,
        on_rest: Callable[[], bool],
        on_idle: Callable[[], None],
    ) -> None:
        self._virtual = begins
        self._horizon = horizon
        self._on_rest = on_rest
        self._on_idle = on_idle
        self._threads = threads
        self._turns = 0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)
        # A timer is due when its time is before now plus this; nanoseconds vanish in a float of some months of seconds,
        # and the timer would never be due.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self._virtual

    def turn(self) -> None:
        """Something is ready, at the time that it is.

        Raises:
            Held: so it has been for so long that it will never be otherwise.
        """
        self._turns += 1
        if self._turns > MOST_TURNS:
            self.moved()
            raise Held(
                Holds(
                    f"{self._busy()} has gone on for {MOST_TURNS:,} turns of the event loop without any time going by: "
                    "it polls with asyncio.sleep(0). Sleep for a length of time, which takes none in a simulation, or "
                    "mock it"
                )
            )

    def moved(self) -> None:
        """The run goes on."""
        self._turns = 0

    def _busy(self) -> str:
        names = sorted({task.get_name() for task in asyncio.all_tasks(self) if task.get_name().startswith("step ")})
        return " or ".join(names) or "something"

    def leap(self) -> None:
        """Nothing is ready: goes to the next timer, or says that there is none."""
        self.moved()
        if self._on_rest():
            return
        due: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        if due and due[0].when() <= self._horizon:
            self._virtual = max(self._virtual, due[0].when())
        else:
            self._on_idle()

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Runs it in a thread and waits for it: whatever else is ready comes after it, every time."""
        future = self.create_future()
        try:
            future.set_result(self._threads.submit(func, *args).result(PATIENCE))
        except NotInTime as error:
            if error.args:  # the function's own
                future.set_exception(error)
            else:
                raise Held(
                    Holds(
                        f"{_named(func, args)} has not returned for {PATIENCE:g} seconds. In a simulation a plain "
                        "function runs to its end before anything else happens; mock one that waits to be cancelled or "
                        "for something outside"
                    )
                ) from error
        except Exception as error:
            future.set_exception(error)
        return future


def _named(function: Any, args: tuple[Any, ...]) -> str:
    """The function itself, where ``asyncio.to_thread`` or a runner has it in its arguments."""
    while isinstance(function, functools.partial):
        function, args = function.func, (*function.args, *args)
    inner = getattr(function, "__self__", None)
    if isinstance(inner, contextvars.Context):
        return _named(args[0], args[1:])
    return str(getattr(getattr(inner, "function", function), "__qualname__", function))


class LoopClock:
    """The time of a virtual loop as the engine's clock. Implements ``runtime.clock.Clock``."""

    def __init__(self, loop: VirtualLoop, start: datetime) -> None:
        self._loop = loop
        self._start = round(start.timestamp() * 1_000_000)

    def now(self) -> int:
        return self._start + round(self._loop.time() * 1_000_000)

    def call_at(self, at: int, callback: Callable[[], None]) -> asyncio.TimerHandle:
        return self._loop.call_at((at - self._start) / 1_000_000, callback)


class InPlace:
    """Commits at once what would be committed in a thread. Implements ``runtime.writer.Aside``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, batch: Batch, done: Callable[[list[Answer] | None, Exception | None], None]) -> None:
        try:
            answers = self._store.commit(batch)
        except Exception as error:
            done(None, error)
        else:
            done(answers, None)

    def stop(self) -> None:
        """There is no thread to end."""
