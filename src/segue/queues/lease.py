"""One attempt that is this worker's: the server hears of it until it knows the outcome, or nobody wants it any more."""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import Any

import msgspec

from segue.client.activating import Activated
from segue.errors import PayloadError, ServerRefused, ServerUnavailable
from segue.kernel.attempt import Attempt
from segue.kernel.encoding import Encodings
from segue.kernel.failures import describe
from segue.kernel.retry import NoVerdict, verdict
from segue.kernel.steps import StepSpec
from segue.owner.host import clean_failure, clean_result
from segue.queues.surroundings import Said, as_json
from segue.runtime.attempts import Attempts, Outcome, Running
from segue.runtime.telling import about_attempt
from segue.server import working
from segue.server.client import ServerClient
from segue.server.working import BeatBody, FailBody, ResultBody

log = logging.getLogger("segue.queues")

EVERY = 1.0
"""Seconds between two heartbeats at least, however much a step says."""
PAUSE = 2.0
"""Seconds before the server is asked again, where it could not be reached."""
OVER = "segue:attempt-over"
"""The problem of an attempt that is not this worker's any more."""


class Lease:
    """Keeps an attempt this worker's while its code runs, and gives the outcome.

    Args:
        seconds: of the lease; the server hears of the attempt three times as often.
        remaining: µs until the attempt's time ends; None for no limit.
    """

    def __init__(
        self,
        got: Activated,
        attempt: Attempt,
        spec: StepSpec,
        *,
        server: ServerClient,
        attempts: Attempts,
        encodings: Encodings,
        seconds: float,
        remaining: int | None,
    ) -> None:
        self.attempt = attempt
        self._spec = spec
        self._token = got.token
        self._server = server
        self._attempts = attempts
        self._encodings = encodings
        self._loop = asyncio.get_running_loop()
        self._ends = None if remaining is None else self._loop.time() + remaining / 1_000_000
        self._seconds = seconds
        self._between = seconds / 3
        if spec.heartbeat is not None:
            # The step's own heartbeats count, and are all that the server may hear: what does not beat is to fail.
            self._between = 2 * spec.heartbeat / 1_000_000
            self._seconds = max(seconds, self._between + 10)
        self._heard = self._loop.time()
        self._unreachable = False
        self.said = Said(self._loop)
        self.said.beaten = self._seconds > seconds  # the lease that it has is too short
        self.ended: asyncio.Future[Outcome] = self._loop.create_future()

    def end(self, running: Running, outcome: Outcome) -> None:
        """Its code has ended; called by ``Attempts``."""
        if not self.ended.done():
            self.ended.set_result(outcome)

    async def hold(self, running: Running) -> None:
        """Until the server knows the outcome, or the attempt is not wanted any more and its code has ended."""
        while not self.ended.done():
            await self._wait()
            if not self.ended.done() and not await self._beat():
                self._attempts.stop(running)
                await self.ended
                return
        await self._give(self.ended.result())

    # --- while it runs ----------------------------------------------------------------------------------------

    async def _wait(self) -> None:
        """Until it is time to be heard: there is news, the lease wants it, the attempt's time is over, or it ended."""
        while not self.ended.done():
            now = self._loop.time()
            if now >= self._due() or (self._has_news() and now >= self._heard + EVERY):
                return
            until = self._heard + EVERY if self._has_news() else self._due()
            waits: set[asyncio.Future[Any]] = {self.ended}
            news = None
            if not self.said.news.is_set():
                news = asyncio.ensure_future(self.said.news.wait())
                waits.add(news)
            await asyncio.wait(waits, timeout=max(0.0, until - now), return_when=asyncio.FIRST_COMPLETED)
            if news is not None:
                news.cancel()

    def _has_news(self) -> bool:
        """What the step says goes with its own heartbeats where these count."""
        return self.said.beaten or (self._spec.heartbeat is None and self.said.news.is_set())

    def _due(self) -> float:
        if self._unreachable:
            return self._heard + PAUSE
        due = self._heard + self._between
        if self._ends is not None and self._ends < due:
            return max(self._ends, self._heard + EVERY)  # over, as soon as its owner says so
        return due

    async def _beat(self) -> bool:
        """Whether the attempt is still wanted, as far as is known."""
        details, progress, lines = self.said.take()
        body = BeatBody(details, self._seconds, progress, lines)
        try:
            await self._server.ask(working.beat, token=self._token, body=body)
        except ServerRefused as error:
            if error.type == OVER:
                self.attempt.over = str(error)
                log.warning("%s", error, extra=about_attempt(self.attempt))
                return False
            log.warning("a heartbeat was refused: %s", error, extra=about_attempt(self.attempt))
        except ServerUnavailable as error:
            self.said.put_back()
            if not self._unreachable:
                log.warning("%s; %s goes on meanwhile", error, self.attempt.name, extra=about_attempt(self.attempt))
            self._unreachable, self._heard = True, self._loop.time()
            return True
        self._unreachable, self._heard = False, self._loop.time()
        return True

    async def give_back(self) -> None:
        """Its worker stops: another one may have it at once."""
        try:
            await self._server.ask(working.give_back, token=self._token)
        except (ServerRefused, ServerUnavailable) as error:
            log.warning("%s", error, extra=about_attempt(self.attempt))

    # --- its outcome ------------------------------------------------------------------------------------------

    async def _give(self, outcome: Outcome) -> None:
        while self.said.news.is_set():
            if not await self._beat():
                return
            if self._unreachable:
                await asyncio.sleep(PAUSE)
        body = self._body(outcome)
        try:
            await self._sent(body)
        except ServerRefused as error:
            if error.type == OVER:
                log.warning("%s", error, extra=about_attempt(self.attempt))
            elif isinstance(body, ResultBody):  # it is not of the step's type, say
                await self._sent(FailBody(str(error), "segue.errors.PayloadError", retryable=False))
            else:
                raise

    def _body(self, outcome: Outcome) -> ResultBody | FailBody:
        error = outcome.error
        if error is None:
            assert outcome.result is not None
            try:
                result = as_json(outcome.result, f"the result of step {self.attempt.name!r}")
                return ResultBody(msgspec.Raw(clean_result(self.attempt, result).data))
            except PayloadError as refused:
                error = refused
        wait, retryable = None, True
        try:
            wait, retryable = verdict(self._spec.retry, self.attempt.attempt, error)
        except NoVerdict as none:  # the policy's ``decide`` is the user's code too
            error, retryable = none.error, False
        failure = clean_failure(self.attempt, describe(error, self._encodings, retryable=retryable))
        plain = failure.details is not None and failure.details.encoding == "json" and not failure.details.parts
        details = msgspec.Raw(failure.details.data) if plain and failure.details is not None else None
        seconds = None if wait is None else wait / 1_000_000
        return FailBody(failure.message, failure.type, retryable, failure.traceback, details, seconds)

    async def _sent(self, body: ResultBody | FailBody) -> None:
        """Sent until the server has it: what was worked out is not lost because the server is away."""
        key = uuid.uuid4().hex
        while True:
            try:
                if isinstance(body, ResultBody):
                    await self._server.ask(working.complete, token=self._token, body=body, key=key)
                else:
                    await self._server.ask(working.fail, token=self._token, body=body, key=key)
                return
            except ServerUnavailable as error:
                if not self._unreachable:
                    log.warning("%s; the outcome of %s is kept", error, self.attempt.name)
                self._unreachable = True
                await asyncio.sleep(PAUSE)
