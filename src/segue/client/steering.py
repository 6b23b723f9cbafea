"""How runs and steps are steered from outside: paused and let go on, and steps completed by whoever has their token."""

from __future__ import annotations

import asyncio
import builtins
import hmac
import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, cast

import msgspec

from segue.client.activating import Activated, activate
from segue.errors import AttemptOver, CallerError, RunNotFound
from segue.kernel import events as e
from segue.kernel.duration import Duration, microseconds
from segue.kernel.encoding import Encodings
from segue.kernel.failures import describe, summary
from segue.kernel.names import actor_of, checked_name
from segue.kernel.tokens import Token, proof, read_token
from segue.owner.host import SaidLine
from segue.runtime.clock import Clock
from segue.runtime.journal import JournalFormat
from segue.stores.attempt_rows import LiveAttempt
from segue.stores.base import CLOSED, HoldStep, RunRow, Store, TellStep

if TYPE_CHECKING:
    from segue.engine import Engine

PATIENCE = 100
LOOK = 0.02
"""How often, and how many seconds apart, a token that is not known yet is looked up: it was made a moment ago, and the
commit that says so is under way."""


class PausedStep(msgspec.Struct, frozen=True):
    """A step that is paused: since when (µs), by whom, and why."""

    step: str
    namespace: str
    at: int
    by: str
    reason: str


class Steering:
    """The part of an engine that steers. What it builds on is the engine's."""

    app: str
    namespace: str
    clock: Clock
    encodings: Encodings
    store: Store
    journal: JournalFormat

    @property
    def _engine(self) -> Engine:
        return cast("Engine", self)

    # --- runs -------------------------------------------------------------------------------------------------

    async def pause(self, run: int, reason: str = "", *, by: str = "") -> None:
        """Has a run stand still. Attempts that are under way end, and their outcomes are kept; nothing new is begun."""
        checked_name(reason, "the reason")
        await self._engine._post(run, "pause", e.Paused(self.clock.now(), actor_of(by), None, reason))

    async def resume(self, run: int, *, by: str = "") -> None:
        """Lets a paused run go on.

        Raises:
            CallerError: it is not paused.
        """
        row = self.store.latest(run)
        if row is None:
            raise RunNotFound(str(run), self.namespace)
        if row.state not in CLOSED and self.paused_since(row.run) is None:
            said = "somebody has resumed it already" if row.state == "paused" else "nobody has paused it"
            raise CallerError(f"run {row.id!r} is {row.state}, and {said}")
        await self._engine._post(run, "resume", e.Resumed(self.clock.now(), actor_of(by), None))

    def paused_since(self, run: int) -> e.Paused | None:
        """The event that paused a run and still holds, or is about to: it may wait in the inbox."""
        found: e.Paused | None = None
        for _, event in self.journal.read(self.store.journal(run), apart=True):
            found = _standing(found, event)
        for row in self.store.inbox([run]):
            if row.kind in ("pause", "resume"):
                found = _standing(found, self.journal.event(row.body))
        return found

    # --- steps ------------------------------------------------------------------------------------------------

    async def pause_step(self, step: str, reason: str = "", *, by: str = "") -> None:
        """Has no attempt of a step begin, in any run of this app and namespace, until ``resume_step``. Those that are
        under way end."""
        await self._hold(step, reason, by, "paused")

    async def resume_step(self, step: str, *, by: str = "") -> None:
        """Lets a step that is paused go on, in every run that waits for it.

        Raises:
            CallerError: it is not paused.
        """
        paused = [held.step for held in await self.paused_steps()]
        if step not in paused:
            known = ", ".join(paused) or "none"
            raise CallerError(f"step {step!r} is not paused in namespace {self.namespace!r} (paused: {known})")
        await self._hold(step, "", by, "resuming")

    async def paused_steps(self) -> builtins.list[PausedStep]:
        """The steps of this app and namespace that are paused."""
        return [
            PausedStep(held.step, held.namespace, held.at, held.by, self.journal.open_text(held.reason))
            for held in self.store.held(self.app)
            if held.state == "paused" and held.namespace == self.namespace
        ]

    async def _hold(self, step: str, reason: str, by: str, state: Any) -> None:
        for text, what in ((step, "a step's name"), (reason, "the reason"), (by, "whoever pauses it")):
            checked_name(text, what)
        sealed = self.journal.seal_text(reason)
        operation = HoldStep(self.namespace, self.app, step, self.clock.now(), by, sealed, state)
        await self._engine._ask(lambda client: client.hold_step(operation))

    # --- outcomes from outside --------------------------------------------------------------------------------

    async def activate(
        self, queue: str, *, worker: str, limit: int = 1, lease: Duration = "30s", steps: Collection[str] | None = None
    ) -> builtins.list[Activated]:
        """Activates attempts of steps that wait in a queue; none if there are none. Each is this worker's for the time
        of the lease, which heartbeats extend; then somebody else may activate it, and this token is void.

        Args:
            worker: who it is, for the journal.
            limit: how many at most.
            steps: names of the steps that it can carry out; None for whatever waits there.
        """
        return await activate(self._engine, queue, worker=worker, limit=limit, lease=microseconds(lease), steps=steps)

    async def complete_step(self, token: str, result: Any = None) -> None:
        """Gives a step its result that has called ``segue.complete_later()``, or was activated. Acknowledged once it is
        on disk.

        Raises:
            AttemptOver: the attempt is not waited for any more: it has its outcome, it timed out, a later attempt has
                begun, or its run has ended.
            InvalidArgument: the token is none of this database; or the result is not of the step's type.
        """
        asked, row = self._read(token)
        payload = self.encodings.encode(result)
        kept = self._kept(asked)
        check = self._engine._step_result(kept.name)
        if check is not None:
            check(payload)
        event = e.StepCompleted(
            self.clock.now(), None, None, asked.key, "", asked.attempt, "", payload, None, kept.began, kept.worker
        )
        await self._tell(asked, row, event)

    async def fail_step(
        self,
        token: str,
        error: BaseException | e.Failure | str,
        *,
        retryable: bool = True,
        retry_after: Duration | None = None,
    ) -> None:
        """Fails an attempt that has called ``segue.complete_later()``, or was activated; the retry policy decides what
        follows.

        Args:
            retry_after: how long to wait for the next attempt, if there is one, in place of what the policy says.

        Raises:
            AttemptOver, InvalidArgument: as ``complete_step``.
        """
        now = self.clock.now()
        retry_at = None if retry_after is None else now + microseconds(retry_after)
        asked, row = self._read(token)
        if isinstance(error, e.Failure):
            failure = msgspec.structs.replace(error, retryable=retryable)
        else:
            raised = error if isinstance(error, BaseException) else RuntimeError(error)
            failure = describe(raised, self.encodings, retryable=retryable)
        kept = self._kept(asked)
        event = e.StepFailed(
            now, None, None, asked.key, "", asked.attempt, "", failure, retry_at, None, kept.began, kept.worker
        )
        await self._tell(asked, row, event)

    async def heartbeat_step(
        self,
        token: str,
        details: Any = None,
        *,
        lease: Duration = "30s",
        progress: Any = None,
        lines: Collection[SaidLine] = (),
    ) -> None:
        """A sign of life of an attempt that has called ``segue.complete_later()``, as ``segue.heartbeat`` in a step.

        Args:
            lease: how long from now nobody else may activate it, if it is one that was activated.
            progress: how far it is, as ``segue.progress`` says it: ``{"done", "total", "message"}``.
            lines: what it has printed and logged, to be kept with its run.

        Raises:
            AttemptOver, InvalidArgument: as ``complete_step``.
        """
        asked, row = self._read(token)
        said = None if details is None else self.journal.readable(self.encodings.encode(details))
        now = self.clock.now()
        until = now + microseconds(lease) if asked.claim else 0
        beat = TellStep(asked.run, asked.key, asked.attempt, now, details=said, claim=asked.claim, until=until)
        await self._told(beat, row)
        if lines or progress is not None:
            self._engine._host.hear(self._kept(asked), progress, lines)

    async def return_step(self, token: str) -> None:
        """Gives back an attempt that was activated: somebody else may activate it at once, and no worker was lost.

        Raises:
            AttemptOver, InvalidArgument: as ``complete_step``.
        """
        asked, row = self._read(token)
        told = TellStep(asked.run, asked.key, asked.attempt, self.clock.now(), claim=asked.claim, returns=True)
        await self._told(told, row)

    def _read(self, token: str) -> tuple[Token, RunRow]:
        asked = read_token(token)
        row = self.store.run(asked.run)
        if row is None or not hmac.compare_digest(proof(row.uid, asked.key, asked.attempt, asked.claim), asked.proof):
            raise of_no_run()
        return asked, row

    def _kept(self, asked: Token) -> LiveAttempt:
        """What is kept of the attempt beside the journal."""
        nothing = LiveAttempt(asked.run, asked.key, "", asked.attempt, 0)
        return next((row for row in self.store.attempts(asked.run) if row.key == asked.key), nothing)

    async def _tell(self, asked: Token, row: RunRow, event: e.StepCompleted | e.StepFailed) -> None:
        body, blobs = self._engine.body(event)
        message = f"step:{os.urandom(16).hex()}"
        operation = TellStep(asked.run, asked.key, asked.attempt, event.at, message, body, None, blobs, asked.claim)
        await self._told(operation, row)

    async def _told(self, operation: TellStep, row: RunRow) -> None:
        for _ in range(PATIENCE):
            answer = await self._engine._ask(lambda client: client.tell_step(operation))
            if answer.outcome == "told":
                return
            over = self._over(operation, row.id, answer.attempt)
            if over is not None:
                raise over
            await asyncio.sleep(LOOK)
        raise AttemptOver(
            _because(operation, row.id, "it was begun, and never said that its outcome comes from outside")
        )

    def _over(self, told: TellStep, run_id: str, waited_for: int) -> AttemptOver | None:
        """Why nobody waits for the attempt; None if its beginning may be on its way to the disk."""
        if waited_for == told.attempt:
            return AttemptOver(_because(told, run_id, "its lease ended, and somebody else has activated it"))
        if waited_for:
            return AttemptOver(_because(told, run_id, f"attempt {waited_for} is waited for now"))
        name = ""
        why: str | None = None
        for _, event in self.journal.read(self.store.journal(told.run), apart=True):
            if isinstance(event, e.CLOSING):
                return AttemptOver(_because(told, run_id, "its run has ended"), run_id=run_id)
            if getattr(event, "key", None) != told.key:
                continue
            match event:
                case e.StepCompleted(name=name):
                    why = "the step has completed"
                case e.StepFailed(name=name, attempt=attempt) if attempt >= told.attempt:
                    why = f"the attempt has failed: {summary(event.failure)}"
                case e.StepStarted(name=name, attempt=attempt) if attempt > told.attempt:
                    why = f"attempt {attempt} was begun after it"
                case e.StepScheduled(name=name, attempt=attempt) if attempt == told.attempt:
                    why = "its outcome is on its way, or the workflow has given the step up"
        if why is None:
            return None
        return AttemptOver(_because(told, run_id, why), step=name, run_id=run_id, attempt=told.attempt)


def of_no_run() -> AttemptOver:
    """A token is none of those that are good here."""
    return AttemptOver(
        "this token belongs to no run of this database: the run was deleted, or the token is of another one"
    )


def _because(told: TellStep, run_id: str, why: str) -> str:
    return (
        f"attempt {told.attempt} of {told.key!r} in run {run_id!r} is not waited for any more: {why}; nothing was "
        "changed"
    )


def _standing(found: e.Paused | None, event: e.Event) -> e.Paused | None:
    if isinstance(event, e.Paused) and event.key is None:
        return found or event
    return None if isinstance(event, e.Resumed) and event.key is None else found
