"""Serving a queue over HTTP, in any language: attempts of steps are activated, beat, are completed, or fail."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, Literal

import msgspec

from segue.client.activating import LONGEST, MOST, Activated
from segue.client.steering import of_no_run
from segue.kernel import events as e
from segue.kernel.tokens import read_token
from segue.owner.host import SaidLine
from segue.runtime.beside import beside
from segue.server.call import Call
from segue.server.pulses import pulse_of
from segue.stores.attempt_rows import QueueFigures

LOOK = 0.1
"""Seconds between looks whether anything was committed."""
ANYWAY = 1.0
"""Seconds after which a queue is looked at although nothing was: a lease may have ended."""
LONGEST_WAIT = 60
"""Seconds that a worker may wait for work."""
MOST_LINES = 1_000
"""Of what a step says, with one heartbeat."""
LONGEST_LINE = 65_536
"""Characters of one."""

Seconds = Annotated[float, msgspec.Meta(gt=0, le=LONGEST // 1_000_000)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ActivateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants work, how much, and how long it may wait for it.

    Attributes:
        worker: a name, for the journal.
        limit: attempts at most.
        lease: seconds for which they are this worker's; heartbeats extend it.
        wait: seconds until there is an answer at the latest, where there is no work yet.
        steps: names of those that it can carry out; by default whatever waits in the queue.
    """

    worker: Word
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 1
    lease: Seconds = 30
    wait: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_WAIT)] = 0
    steps: list[Word] | None = None


class ActivatedList(msgspec.Struct, frozen=True):
    """Attempts that are the worker's now, and the server's time."""

    attempts: list[Activated]
    now: int


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line that a step has printed or logged, so many seconds ago."""

    text: Annotated[str, msgspec.Meta(max_length=LONGEST_LINE)]
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    stream: Literal["stdout", "stderr", "log"] = "stdout"
    ago: Annotated[float, msgspec.Meta(ge=0, le=LONGEST // 1_000_000)] = 0


class Progress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a step is, of how much, and with what."""

    done: float
    total: float | None = None
    message: Annotated[str, msgspec.Meta(max_length=LONGEST_LINE)] = ""


class BeatBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sign of life.

    Attributes:
        details: where the work stands, for a later attempt.
        lease: seconds from now on.
        progress: how far it is, for people.
        lines: what it has said since the last heartbeat, to be kept with the run.
    """

    details: Any = None
    lease: Seconds = 30
    progress: Progress | None = None
    lines: Annotated[list[Line], msgspec.Meta(max_length=MOST_LINES)] = msgspec.field(default_factory=list)


class ResultBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the step gives."""

    result: Any = None


class FailBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What went wrong.

    Attributes:
        type: the kind of error, by which a retry policy and the workflow can tell it.
        retryable: whether another attempt is of any use.
        traceback: for people, as the language writes it.
        details: a value for the workflow.
        retry_after: seconds until the next attempt, if there is one, in place of what the retry policy says.
    """

    message: str
    type: Word = "Error"
    retryable: bool = True
    traceback: str = ""
    details: Any = None
    retry_after: Annotated[float, msgspec.Meta(ge=0)] | None = None


async def list_queues(call: Call[Any, None]) -> list[QueueFigures]:
    engine = call.engine
    return await beside(engine.store.queues, engine.namespace, None, engine.clock.now())


async def activate(call: Call[Any, ActivateBody]) -> ActivatedList:
    body, engine = call.body, call.engine
    ends = time.monotonic() + body.wait
    seen, again = -1, 0.0
    while True:
        pulse, now = pulse_of(engine.store), time.monotonic()
        if pulse != seen or now >= again:
            seen, again = pulse, now + ANYWAY
            found = await engine.activate(
                call.path["queue"], worker=body.worker, limit=body.limit, lease=body.lease, steps=body.steps
            )
            if found:
                return ActivatedList(found, engine.clock.now())
        if now >= ends:
            return ActivatedList([], engine.clock.now())
        await asyncio.sleep(LOOK)


def _token(call: Call[Any, Any]) -> str:
    """The token that the path names, if it is one of this namespace.

    Raises:
        AttemptOver: it is of another one, which is told as if it were of no run at all.
    """
    text: str = call.path["token"]
    row = call.engine.store.run(read_token(text).run)
    if row is not None and row.namespace != call.engine.namespace:
        raise of_no_run()
    return text


async def beat(call: Call[Any, BeatBody]) -> None:
    body, now = call.body, call.engine.clock.now()
    lines = [SaidLine(line.text, line.level, line.stream, now - round(line.ago * 1_000_000)) for line in body.lines]
    progress = None if body.progress is None else msgspec.to_builtins(body.progress)
    await call.engine.heartbeat_step(_token(call), body.details, lease=body.lease, progress=progress, lines=lines)


async def give_back(call: Call[Any, None]) -> None:
    await call.engine.return_step(_token(call))


async def complete(call: Call[Any, ResultBody]) -> None:
    await call.engine.complete_step(_token(call), call.body.result)


async def fail(call: Call[Any, FailBody]) -> None:
    body = call.body
    details = None if body.details is None else call.engine.encodings.encode(body.details)
    failure = e.Failure(body.type, body.message, body.traceback, body.retryable, details=details)
    await call.engine.fail_step(_token(call), failure, retryable=body.retryable, retry_after=body.retry_after)
