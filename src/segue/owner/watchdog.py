"""Reports what blocks the event loop: a thread looks whether the loop still turns, and if not, at which line it is.

Everything in an engine waits for whoever keeps the loop to himself: other runs, timers, outcomes. The report goes to
the program's log and to the log of the run that is to blame, where another process can read it while this one is stuck.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from types import FrameType

from segue.authoring.python.execution import CodeExecution
from segue.authoring.python.loop import WorkflowLoop
from segue.owner.host import StepHost
from segue.runtime.attempts import Running
from segue.runtime.conductor import Conductor
from segue.runtime.telling import About, about, about_attempt
from segue.runtime.whereabouts import OWN, Place, frames_of, users

log = logging.getLogger("segue.watchdog")

LOOKS = 4
"""How often it looks in the time after which it reports."""

_ENTER = WorkflowLoop.enter.__code__
_IDLE = (os.path.dirname(asyncio.__file__) + os.sep, os.path.join(os.path.dirname(os.__file__), "selectors.py"))
"""Where the loop is when it waits for something to do."""

_TO_A_WORKFLOW = (
    "put work that takes long into a step, where a plain `def` runs in a thread, and wait with asyncio.sleep()"
)
_TO_A_STEP = (
    "an `async def` step runs on the event loop: await what it waits for, or use a plain `def`, which runs in a thread"
)
_TO_THE_OPERATOR = "look whether the disk that the database is on is slow, or full of other work"
_TO_OTHERS = "the runs of this engine wait meanwhile: put work that takes long into a thread, with asyncio.to_thread()"


class Watchdog:
    """Watches the loop that it is made on.

    Args:
        limit: seconds for which the loop may stand still.
        conductor: whose runs may be to blame.
        host: keeps the lines of runs.
    """

    def __init__(self, limit: float, conductor: Conductor, host: StepHost) -> None:
        self._limit = limit
        self._conductor = conductor
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._closed = threading.Event()
        self._turned = True
        self._asked_at = 0.0
        self._reported = False
        threading.Thread(target=self._watch, name="segue-watchdog", daemon=True).start()

    def close(self) -> None:
        """Watches no longer."""
        self._closed.set()

    # --- in its own thread ------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._closed.wait(self._limit / LOOKS):
            if self._turned:
                if not self._ask():
                    return
            elif not self._reported and time.monotonic() - self._asked_at >= self._limit:
                self._look()

    def _ask(self) -> bool:
        self._turned, self._asked_at = False, time.monotonic()
        try:
            self._loop.call_soon_threadsafe(self._answer)
        except RuntimeError:  # the loop was closed
            return False
        return True

    def _answer(self) -> None:
        self._turned = True
        if self._reported:
            self._reported = False
            log.warning("the event loop goes on after %.1f s", time.monotonic() - self._asked_at)

    def _look(self) -> None:
        frames = frames_of(self._thread)
        if not frames or frames[0].f_code.co_filename.startswith(_IDLE):
            # It was not the loop that stood still but the whole process (stopped, or its machine asleep).
            self._asked_at = time.monotonic()
            return
        self._reported = True
        self._report(frames, [Place.of(frame) for frame in frames])

    # --- who it is --------------------------------------------------------------------------------------------

    def _report(self, frames: list[FrameType], places: list[Place]) -> None:
        execution, depth = _execution(frames)
        who: About = {}
        if execution is not None and execution.started is not None:
            started = execution.started
            place = users(places[:depth])
            text = self._text(f"workflow {started.workflow} of run {started.id!r}", place, _TO_A_WORKFLOW)
            run = next((r for r in list(self._conductor.residents.values()) if r.execution is execution), None)
            if run is not None:
                who = about(run)
                self._host.workflow_log(run, self._conductor.clock.now(), "WARNING", text)
        elif (running := self._running(frames)) is not None:
            attempt = running.attempt
            text = self._text(f"step {attempt.name} of run {attempt.run_id!r}", users(places), _TO_A_STEP)
            who = about_attempt(attempt)
            self._host.log(attempt, "WARNING", "log", text)
        elif places[0].code.co_filename.startswith(OWN):
            text = self._text("the engine itself", places[0], _TO_THE_OPERATOR)
        else:
            text = self._text("something beside the engine", users(places), _TO_OTHERS)
        log.warning("%s", text, extra=who)

    def _text(self, who: str, place: Place, remedy: str) -> str:
        return f"{who} has blocked the event loop for {self._limit:g} s at {place}; {remedy}"

    def _running(self, frames: list[FrameType]) -> Running | None:
        """The attempt of an ``async def`` step whose coroutine is among these frames."""
        for running in list(self._conductor.attempts.running):
            task = running.future
            if isinstance(task, asyncio.Task) and getattr(task.get_coro(), "cr_frame", None) in frames:
                return running
        return None


def _execution(frames: list[FrameType]) -> tuple[CodeExecution | None, int]:
    """The run that is being driven, and how many of the frames are inside it."""
    for depth, frame in enumerate(frames):
        if frame.f_code is _ENTER:
            owner = frame.f_locals["self"].owner
            return (owner, depth) if isinstance(owner, CodeExecution) else (None, 0)
    return None, 0
