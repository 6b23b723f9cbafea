"""The main program of a worker process: runs steps for an engine, one after the other, until the engine hangs up."""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from contextvars import Context
from itertools import count
from queue import SimpleQueue
from typing import Any

import msgspec

from segue.authoring.python.definitions import STEPS
from segue.errors import SecretNotFound
from segue.kernel.attempt import CURRENT, Attempt
from segue.kernel.encoding import Encodings
from segue.kernel.payload import Payload
from segue.kernel.secret import SecretScope
from segue.owner import capture
from segue.runtime.process_errors import StepNotFound, put_together, take_apart, unicode
from segue.runtime.process_frames import (
    Answer,
    AskReference,
    AskSecret,
    AskState,
    Attached,
    Beaten,
    Completed,
    Failed,
    Frame,
    Frames,
    HandOver,
    Logged,
    Order,
    Place,
    Prepare,
    Ready,
    Reported,
    Start,
    pack,
)
from segue.runtime.process_loading import load

_CHUNK = 262_144
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, prctl(2)


def main(descriptor: int) -> None:
    """Serves the engine at the other end of the socket."""
    os.set_inheritable(descriptor, False)
    if sys.platform == "linux":
        # The socket tells of the engine's death too, but only to code that lets go of the interpreter lock.
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if not faulthandler.is_enabled():
        faulthandler.enable()
    with socket.socket(fileno=descriptor) as line:
        Worker(line).serve()


class Worker:
    """A worker process. Implements ``kernel.attempt.Host`` by passing everything on to the engine."""

    def __init__(self, line: socket.socket) -> None:
        self._socket = line
        self._sending = threading.Lock()
        self._starts: SimpleQueue[Start | None] = SimpleQueue()
        self._questions = count()
        self._answers: dict[int, SimpleQueue[Answer]] = {}
        self._encodings: Encodings
        self._busy = False

    def serve(self) -> None:
        """Runs what comes in, on the main thread, where signals and some libraries want to be."""
        frames = self._receive()
        prepare = next(frames, None)
        if not isinstance(prepare, Prepare):
            return
        self._encodings = _made(prepare.encodings)
        logging.getLogger().setLevel(prepare.log_level)
        with capture.kept(only=prepare.keep_only):
            self._send(Ready())
            threading.Thread(target=self._listen, args=(frames,), name="segue-orders", daemon=True).start()
            while (start := self._starts.get()) is not None:
                self._run(start)

    def _run(self, start: Start) -> None:
        attempt = Attempt(start.run, start.key, start.name, start.attempt, self, start.headers)
        attempt.earlier = start.earlier
        context = Context()
        context.run(CURRENT.set, attempt)
        outcome = context.run(self._outcome, start, attempt)
        capture.flush(attempt)
        self._busy = False  # before the engine hears of it, and may hang up
        self._send(outcome)

    def _outcome(self, start: Start, attempt: Attempt) -> Completed | Failed:
        try:
            step = _find(start).bind(self._encodings)
            if "opentelemetry.trace" in sys.modules:  # the user's code traces, and goes on from the step's span
                from segue.tracing.travelling import enter

                enter(attempt)
            result = step.encode(step.call(step.decode(start.input)))
        except BaseException as error:  # also SystemExit: a step that calls sys.exit() has failed, the worker has not
            return Failed(take_apart(error, self._encodings))
        writes = attempt.state_writes or {}
        return Completed(result, tuple((scope, key, value) for (scope, key), value in writes.items()))

    # --- kernel.attempt.Host ----------------------------------------------------------------------------------

    def report(self, attempt: Attempt, progress: Any) -> None:
        self._send(Reported(self._encodings.encode(progress)))

    def attach(self, attempt: Attempt, name: str, artifact: Payload) -> None:
        self._send(Attached(name, artifact))

    def log(self, attempt: Attempt, level: str, stream: str, line: str) -> None:
        self._send(Logged(level, stream, unicode(line)))

    def secrets_of(self, attempt: Attempt) -> SecretScope:
        if attempt.secrets is None:
            attempt.secrets = SecretScope(self._secret)
        scope: SecretScope = attempt.secrets
        return scope

    def read_state(self, attempt: Attempt, scope: str, key: str) -> bytes | None:
        writes = attempt.state_writes or {}
        if (scope, key) in writes:
            written: bytes | None = writes[scope, key]
            return written
        question = next(self._questions)
        return self._ask(AskState(question, scope, key), question)

    def beat(self, attempt: Attempt, details: Any) -> None:
        self._send(Beaten(None if details is None else self._encodings.encode(details)))

    def earlier(self, attempt: Attempt, type: Any) -> Any:
        return None if attempt.earlier is None else self._encodings.decode(attempt.earlier, type)

    def hand_over(self, attempt: Attempt) -> str:
        question = next(self._questions)
        token = self._ask(HandOver(question), question)
        assert token is not None
        return token.decode()

    def read_reference(self, attempt: Attempt, ref: str, encoding: str) -> tuple[Payload, Encodings]:
        question = next(self._questions)
        data = self._ask(AskReference(question, ref, encoding), question)
        assert data is not None
        return msgspec.json.decode(data, type=Payload), self._encodings

    def _secret(self, name: str) -> str:
        question = next(self._questions)
        value = self._ask(AskSecret(question, name), question)
        assert value is not None
        return value.decode()

    def _ask(self, frame: Frame, question: int) -> bytes | None:
        answers = self._answers[question] = SimpleQueue()
        self._send(frame)
        answer = answers.get()
        del self._answers[question]
        if answer.error is None:
            return answer.value
        error: Any = put_together(answer.error, self._encodings)
        if isinstance(error, SecretNotFound):  # one that a step may catch by its class
            raise SecretNotFound(error.name, error.looked_in, error.remedy)
        raise error

    # --- frames -----------------------------------------------------------------------------------------------

    def _send(self, frame: Frame) -> None:
        with self._sending:
            self._socket.sendall(pack(frame))

    def _receive(self) -> Iterator[object]:
        frames = Frames(Order)
        with suppress(ConnectionResetError):  # the engine died with something unread
            while data := self._socket.recv(_CHUNK):
                frames.feed(data)
                while (frame := frames.take()) is not None:
                    yield frame

    def _listen(self, frames: Iterator[object]) -> None:
        for frame in frames:
            if isinstance(frame, Start):
                self._busy = True
                self._starts.put(frame)
            elif isinstance(frame, Answer):
                self._answers[frame.question].put(frame)
        if self._busy:  # the engine is gone, and nobody wants the outcome: end at once, with whatever the step started
            os.killpg(0, signal.SIGKILL)
        self._starts.put(None)


def _made(factory: Place) -> Encodings:
    function: Any = load(factory)
    for name in factory.qualname.split("."):
        function = getattr(function, name)
    made: Encodings = function()
    return made


def _find(start: Start) -> Any:
    place = start.place
    load(place)
    step = STEPS.get(start.name)
    if step is None:
        raise StepNotFound(
            f"step {start.name!r} is not defined by importing {place.module} ({place.qualname} in {place.file}): a "
            "process of its own finds only what stands at the top level of a module; move it there, or leave out "
            "executor='process'"
        )
    return step
