"""Runs steps in processes of their own: a pool of workers that start on demand, are used again, and die alone.

A worker runs one step at a time. If it dies, that step fails, and the next one gets a new worker. Cancelling a step
kills its worker, since nothing else stops code for certain.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from segue.errors import AuthorError, OperatorError
from segue.kernel.attempt import Attempt
from segue.kernel.commands import RunStep
from segue.kernel.encoding import Encodings
from segue.kernel.payload import Payload
from segue.kernel.steps import StepRunner
from segue.runtime.beside import others
from segue.runtime.process_child import Child
from segue.runtime.process_errors import EncodingsNotFound, died, put_together, take_apart
from segue.runtime.process_frames import (
    Answer,
    AskReference,
    AskSecret,
    AskState,
    Attached,
    Beaten,
    BrokenFrame,
    Completed,
    Failed,
    HandOver,
    Logged,
    Place,
    Prepare,
    Ready,
    Reported,
    Run,
    Start,
)
from segue.runtime.process_loading import place_of


class _Job:
    """A step on its way through the pool; ``child`` runs it, or is kept free for it until it is ``sent``."""

    __slots__ = ("attempt", "begun", "child", "future", "sent", "start", "turn")

    def __init__(
        self,
        attempt: Attempt,
        start: Start,
        future: asyncio.Future[Payload],
        begun: Callable[[], None],
        turn: Callable[[Callable[[], None]], None],
    ) -> None:
        self.attempt = attempt
        self.begun = begun
        self.turn = turn
        self.start = start
        self.future = future
        self.child: Child | None = None
        self.sent = False


class Processes:
    """Implements ``runtime.attempts.ProcessPool``. Make it and use it on the loop's thread.

    Args:
        encodings: the engine's.
        size: how many processes there are at most; 0 is one per processor.
        factory: makes the same encodings in a worker; None if nothing does.
        patience: seconds that idle workers have to end by themselves when the pool closes.
    """

    def __init__(
        self,
        encodings: Encodings,
        *,
        size: int = 0,
        factory: Callable[[], Encodings] | None,
        patience: float = 2.0,
    ) -> None:
        self._encodings = encodings
        self._size = size or os.cpu_count() or 1
        self._factory = factory
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Job] = deque()
        self._jobs: dict[Child, _Job | None] = {}
        self._places: dict[tuple[str, str], Place] = {}
        self._ready: set[Child] = set()
        self._answers: set[asyncio.Task[None]] = set()
        self._gone = asyncio.Event()
        self._gone.set()
        self._closing = False

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def run(
        self,
        runner: StepRunner,
        command: RunStep,
        attempt: Attempt,
        begun: Callable[[], None],
        turn: Callable[[Callable[[], None]], None],
    ) -> asyncio.Future[Payload]:
        """Runs the step in a process of its own. Cancelling the future kills the process. ``turn`` is called when it
        has a process, with what sends it there, which may be called later; ``begun`` when that is up and takes it on.

        The future raises what the step raised, as a ``RemoteError`` that goes by the original's names; or
        ``ProcessDied``.

        Raises:
            StepNotFound, EncodingsNotFound: no other process can find the step, or make the encodings.
        """
        assert not self._closing
        self._encodings_place()
        who = attempt.identity
        start = Start(
            self._place(*runner.locate()), Run(who.run, who.id, who.uid, who.namespace, who.workflow), attempt.key,
            attempt.name, attempt.attempt, command.input, attempt.headers, command.heartbeat,
        )  # fmt: skip
        job = _Job(attempt, start, self._loop.create_future(), begun, turn)
        job.future.add_done_callback(partial(_settled, job))
        self._waiting.append(job)
        self._begin_waiting()
        return job.future

    async def close(self) -> None:
        """Ends all processes. Idle ones may end by themselves; what still runs is killed."""
        self._closing = True
        for job in [*self._waiting, *filter(None, self._jobs.values())]:
            job.future.cancel()
        for child, running in self._jobs.items():
            child.hang_up() if running is None else child.kill()
        try:
            await asyncio.wait_for(self._gone.wait(), self._patience)
        except TimeoutError:
            for child in self._jobs:
                child.kill()
            await self._gone.wait()

    def kill(self) -> None:
        """Ends all processes at once, whatever they do."""
        self._closing = True
        for child in self._jobs:
            child.kill()

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [child.pid for child in self._jobs]

    def _place(self, module: str, qualname: str) -> Place:
        place = self._places.get((module, qualname))
        if place is None:
            place = self._places[module, qualname] = place_of(module, qualname)
        return place

    def _encodings_place(self) -> Place:
        """Where a worker finds the function that makes the encodings.

        Raises:
            EncodingsNotFound: there is none, or it is not at the top level of a module.
        """
        qualname = "" if self._factory is None else self._factory.__qualname__
        if self._factory is None or "<" in qualname:
            raise EncodingsNotFound(
                "executor='process' needs encodings that another process can make: give Engine(encodings=…) the "
                "function at the top level of a module that makes them, not "
                + (f"{qualname}" if qualname else "the Encodings themselves")
            )
        return self._place(self._factory.__module__, qualname)

    # --- which worker runs what -------------------------------------------------------------------------------

    def _begin_waiting(self) -> None:
        """Gives waiting steps to idle workers, first come, first served."""
        while self._waiting and not self._closing:
            job = self._waiting[0]
            child = None
            try:
                if not job.future.done():
                    child = self._idle()
                    if child is None:
                        return
            except (OSError, OperatorError) as error:  # no more processes; no interpreter
                job.future.set_exception(error)
            self._waiting.popleft()
            if child is not None:
                self._jobs[child], job.child = job, child
                job.turn(partial(self._send, job, child))

    def _send(self, job: _Job, child: Child) -> None:
        if job.future.done() or job.child is not child:
            return
        try:
            child.send(job.start)
        except (OSError, ValueError) as error:  # too large
            self._released(child, job).set_exception(error)
            return
        if child.gone:  # it died while it was idle, and the news is still on its way
            self._jobs[child] = job.child = None
            self._waiting.appendleft(job)
            return
        job.sent = True
        if child in self._ready:
            job.begun()

    def _idle(self) -> Child | None:
        for child, job in self._jobs.items():
            if job is None and not child.gone:
                return child
        return self._spawn() if len(self._jobs) < self._size else None

    def _spawn(self) -> Child:
        child = Child(on_frame=self._heard, on_exit=self._exited)
        self._jobs[child] = None
        self._gone.clear()
        level = logging.getLogger().getEffectiveLevel()
        child.send(Prepare(self._encodings_place(), level, getattr(sys.stdout, "keeps_out_steps", False)))
        return child

    def _released(self, child: Child, job: _Job) -> asyncio.Future[Payload]:
        """The worker is free again; what is left to do is to settle the future."""
        self._jobs[child] = job.child = None
        self._begin_waiting()
        return job.future

    def _exited(self, child: Child, status: int) -> None:
        job = self._jobs.pop(child)
        ready = child in self._ready
        self._ready.discard(child)
        if job is not None:
            job.child = None
            if not job.future.done():
                job.future.set_exception(died(job.attempt.name, status, ready=ready))
        if not self._jobs:
            self._gone.set()
        self._begin_waiting()

    # --- what workers say -------------------------------------------------------------------------------------

    def _heard(self, child: Child, frame: object) -> None:
        job = self._jobs[child]
        if isinstance(frame, Ready):
            self._ready.add(child)
            if job is not None and job.sent:
                job.begun()
        elif job is not None and not job.future.done():
            try:
                self._take(child, job, frame)
            except Exception as error:  # what the host raises is the step's outcome, as it is in a thread
                job.future.set_exception(error)

    def _take(self, child: Child, job: _Job, frame: object) -> None:
        attempt = job.attempt
        match frame:
            case Completed(result, writes):
                for write in writes:
                    attempt.write_state(*write)
                self._released(child, job).set_result(result)
            case Failed(raised):
                error = put_together(raised, self._encodings)
                self._released(child, job).set_exception(error)
            case Logged(level, stream, line):
                attempt.host.log(attempt, level, stream, line)
            case Reported(progress):
                attempt.host.report(attempt, self._encodings.decode(progress, Any))
            case Beaten(details):
                attempt.host.beat(attempt, details)
            case HandOver(question):
                self._answer(job, question, lambda: attempt.host.hand_over(attempt).encode())
            case AskSecret(question, name):
                self._answer(job, question, lambda: attempt.host.secrets_of(attempt).resolve(name).encode())
            case AskState(question, scope, key):
                self._answer(job, question, lambda: attempt.host.read_state(attempt, scope, key))
            case Attached(name, artifact):
                attempt.host.attach(attempt, name, artifact)
            case AskReference(question, ref, encoding):
                self._answer(
                    job, question, lambda: msgspec.json.encode(attempt.host.read_reference(attempt, ref, encoding)[0])
                )
            case BrokenFrame():
                raise AuthorError(f"step {attempt.name!r} wrote to an open file that was not its own: {frame}")

    def _answer(self, job: _Job, question: int, ask: Callable[[], bytes | None]) -> None:
        task = self._loop.create_task(self._find_answer(job, question, ask))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _find_answer(self, job: _Job, question: int, ask: Callable[[], bytes | None]) -> None:
        try:
            answer = Answer(question, await others(ask))  # a secret may come over the network
        except Exception as error:  # raised again where the step asked
            answer = Answer(question, None, take_apart(error, self._encodings))
        if job.child is not None:
            job.child.send(answer)


def _settled(job: _Job, future: asyncio.Future[Payload]) -> None:
    if job.child is not None:  # cancelled while it ran
        job.child.kill()
