"""A worker of a queue: asks for as many attempts as it has room for, and carries them out until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from segue.authoring.python.alone import Nobody
from segue.authoring.python.definitions import Step
from segue.authoring.python.registry import STEPS
from segue.authoring.python.terms import executor_of
from segue.client.activating import MOST, Activated
from segue.encodings import default_encodings
from segue.errors import InvalidArgument, ServerRefused, ServerUnavailable
from segue.kernel.attempt import Attempt
from segue.kernel.commands import RunStep
from segue.kernel.duration import Duration, microseconds
from segue.kernel.encoding import Encodings
from segue.kernel.payload import JSON, from_bytes
from segue.kernel.steps import StepSpec
from segue.owner import capture
from segue.owner.host import Secrets
from segue.owner.secret_sources import secrets_of
from segue.queues.lease import Lease
from segue.queues.surroundings import Borrowed, Surroundings
from segue.runtime.attempts import Outcome, Running, end_of
from segue.server import working
from segue.server.client import ServerClient
from segue.server.working import ActivateBody

log = logging.getLogger("segue.queues")

WAIT = 2.0
"""Seconds that the server may keep a question while there is no work. A question is not broken off, since its answer
may hold attempts by then; so this is also how long a worker may take to stop."""
PAUSE = 1.0
"""Seconds before the server is asked again after it could not be reached, twice as many each further time."""
LONGEST_PAUSE = 30.0
TOO_MANY = 429


class QueueWorker:
    """Carries out the steps of a queue that are imported here, and no others.

    ``async with ServerClient(url, key="segue_…") as server: await QueueWorker(server, "gpu").serve(stop)``

    Args:
        server: whom it asks; its key needs the permission ``steps:work``.
        queue: the steps are those with this ``queue=``.
        slots: attempts at the same time.
        lease: for how long an attempt is this worker's if nothing is heard of it any more.
        name: who it is, in the journal; by default machine and process.
        secrets: where a ``SecretRef`` looks, as for an engine (docs/secrets.md).
        encodings: how values become JSON.
        witness: told of each attempt that begins (None) or ends.

    Raises:
        InvalidArgument: no step of the queue is imported, a number makes no sense, or secrets cannot be found where the
            settings say.
        OperatorError: a file with secrets cannot be read.
    """

    def __init__(
        self,
        server: ServerClient,
        queue: str,
        *,
        slots: int = 10,
        lease: Duration = "30s",
        name: str = "",
        secrets: Mapping[str, str] | Secrets | None = None,
        encodings: Encodings | None = None,
        witness: Callable[[Attempt, Outcome | None], None] = lambda attempt, outcome: None,
    ) -> None:
        if slots < 1:
            raise InvalidArgument("a worker has one slot at least", path="slots")
        self.queue = queue
        self.steps = {step.name: step for step in steps_of(queue)}
        if not self.steps:
            raise InvalidArgument(f"no step with queue={queue!r} is imported here: there is nothing to carry out")
        self.name = name or f"{os.uname().nodename}:{os.getpid()}"
        self._server = server
        self.slots = slots
        self._lease = microseconds(lease) / 1_000_000
        self._encodings = encodings or default_encodings()
        self._around = Surroundings(self._encodings, secrets_of(secrets))
        self._witness = witness
        self._leases: dict[asyncio.Task[None], Lease] = {}

    @property
    def under_way(self) -> int:
        """Attempts that it has."""
        return len(self._leases)

    async def serve(self, stop: asyncio.Event, *, grace: Duration = "10s") -> None:
        """Works until ``stop`` is set; attempts under way have ``grace`` to end, and are given back after that.

        Raises:
            ServerRefused: the server lets nobody with this key work on the queue.
        """
        attempts = capture.Captured(threads=self.slots, processes=_no_processes)
        with capture.kept():
            try:
                await self._work(stop, attempts)
            finally:
                await self._end(attempts, microseconds(grace) / 1_000_000)

    async def _work(self, stop: asyncio.Event, attempts: capture.Captured) -> None:
        stopped = asyncio.ensure_future(stop.wait())
        pause = PAUSE
        try:
            while not stop.is_set():
                if len(self._leases) >= self.slots:
                    await asyncio.wait({*self._leases, stopped}, return_when=asyncio.FIRST_COMPLETED)
                    continue
                if hang := attempts.in_the_way():  # what it took would wait here, and other workers may have room
                    await asyncio.wait({*map(end_of, hang), stopped}, return_when=asyncio.FIRST_COMPLETED)
                    continue
                try:
                    await self._ask(attempts)
                    pause = PAUSE
                except (ServerUnavailable, ServerRefused) as error:
                    if isinstance(error, ServerRefused) and error.status != TOO_MANY:
                        raise
                    if pause == PAUSE:
                        log.warning("%s; asked again until it answers", error)
                    await asyncio.wait({stopped}, timeout=pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            stopped.cancel()

    async def _ask(self, attempts: capture.Captured) -> None:
        limit = min(self.slots - len(self._leases), MOST)
        body = ActivateBody(self.name, limit, self._lease, WAIT, list(self.steps))
        found = await self._server.ask(working.activate, queue=self.queue, body=body)
        for got in found.attempts:
            self._begin(got, found.now, attempts)

    def _begin(self, got: Activated, now: int, attempts: capture.Captured) -> None:
        step = self.steps[got.step]
        who = Nobody(0, got.run, "", "", got.workflow)
        attempt = Borrowed(
            who, got.key, got.step, got.attempt, self._around, got.headers, got.heartbeat,
            key_given=got.idempotency_key,
        )  # fmt: skip
        lease = Lease(
            got, attempt, step.spec, server=self._server, attempts=attempts, encodings=self._encodings,
            seconds=self._lease, remaining=None if got.deadline is None else got.deadline - now,
        )  # fmt: skip
        given = {"*": got.arguments} if isinstance(got.arguments, list) else got.arguments
        command = RunStep(
            got.key, _here(step), from_bytes(JSON, msgspec.json.encode(given)), "", got.attempt, headers=got.headers
        )
        bound = step.bind(self._encodings)
        running = Running(attempt, command, bound, now, lease.end, attempts)
        self._around.begin(attempt, lease.said)
        self._witness(attempt, None)
        task = asyncio.ensure_future(lease.hold(running))
        self._leases[task] = lease
        task.add_done_callback(partial(self._ended, lease))
        attempts.start(running)

    def _ended(self, lease: Lease, task: asyncio.Task[None]) -> None:
        del self._leases[task]
        self._around.end(lease.attempt)
        if lease.ended.done():
            self._witness(lease.attempt, lease.ended.result())
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("attempt of %s: %s", lease.attempt.name, error)

    async def _end(self, attempts: capture.Captured, grace: float) -> None:
        if self._leases:
            await asyncio.wait(self._leases, timeout=grace)
        await attempts.close(0)
        left = dict(self._leases)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
            # Threads that go on are not heard any more. What they still do, another worker may do beside them.
            await asyncio.wait([asyncio.ensure_future(lease.give_back()) for lease in left.values()])


def steps_of(queue: str) -> list[Step[Any, Any]]:
    """The steps of a queue that are imported."""
    return [step for step in STEPS.all() if step.spec.queue == queue]


def _here(step: Step[Any, Any]) -> StepSpec:
    """The step's terms as far as they hold here: its limits are the server's to watch."""
    return msgspec.structs.replace(
        step.spec, executor=executor_of(step.function, None), timeout=None, heartbeat=None, schedule_to_start=None,
        schedule_to_close=None,
    )  # fmt: skip


def _no_processes() -> Any:
    raise AssertionError("a step of a queue names no executor")
