"""A handle: a run, from outside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

import msgspec

from segue.client.addressing import Address, Addressed
from segue.client.following import Live, Recorded, follow, follow_all
from segue.errors import RunCancelled, RunFailed, RunNotFound, RunTerminated
from segue.kernel import events as e
from segue.kernel.artifact import Artifact
from segue.runtime.incidents import standing_still
from segue.stores.base import RunRow, Task

if TYPE_CHECKING:
    from segue.engine import Engine

R = TypeVar("R", covariant=True)
T = TypeVar("T")


class HumanTask(msgspec.Struct, frozen=True):
    """A question to a person, as whoever shows or answers it sees it.

    Attributes:
        task: its number. key: of the call in the run that opened it.
        opened_at, due, closed_at: µs since the epoch.
        form: JSON Schema of the answer.
        subject: the facts that the workflow gave with it. outcome: the answer, once there is one.
        claimed_by: who has said that they see to it, since ``claimed_at``.
    """

    task: int
    run: int
    run_id: str
    key: str
    name: str
    assignee: str
    state: Literal["open", "completed", "withdrawn"]
    opened_at: int
    due: int | None = None
    form: dict[str, Any] | None = None
    subject: Any = None
    closed_at: int | None = None
    closed_by: str | None = None
    outcome: Any = None
    claimed_by: str | None = None
    claimed_at: int | None = None

    @classmethod
    def of(cls, row: Task, decode: Callable[[bytes], Any]) -> HumanTask:
        """What stands in the store, with its payloads decoded."""
        form = None if row.form is None else msgspec.json.decode(row.form)
        subject = None if row.subject is None else decode(row.subject)
        outcome = None if row.outcome is None else decode(row.outcome)
        return cls(
            row.task, row.run, row.run_id, row.key, row.name, row.assignee, row.state, row.opened_at, row.due, form,
            subject, row.closed_at, row.closed_by, outcome, row.claimed_by, row.claimed_at,
        )  # fmt: skip


class Handle(Addressed, Generic[R]):
    """A run that was started or found. Cheap, holds nothing open, and may be made in any process.

    Attributes:
        id: the caller's id of the run.
        run: its row in the store. Should the run go on as a new one, the handle goes with it.
    """

    def __init__(self, engine: Engine, run: int, id: str, returns: Any = Any, *, chain: int | None = None) -> None:
        self._engine = engine
        self._returns = returns
        self.run = run
        self.id = id
        self._first = chain or run
        """What names its chain once ``run`` is deleted; by the number of a later run alone nobody knows the chain."""

    async def result(self, *, timeout: float | None = None, through_incidents: bool = False) -> R:
        """The run's result, once it has one.

        Args:
            timeout: seconds to wait.
            through_incidents: keep waiting while the run stands still, instead of raising ``Incident``.

        Raises:
            RunFailed, RunCancelled, RunTerminated: how it ended.
            Incident: it stands still until a person acts.
            TimeoutError: it has not ended in time; the run goes on.
        """
        if timeout is not None:
            async with asyncio.timeout(timeout):
                return await self.result(through_incidents=through_incidents)
        while True:
            try:
                event = await self._engine.closing_event(self.run)
            except RunNotFound as error:
                await self._go_past(error)
                continue
            event = await self._engine.filled(event)
            if isinstance(event, e.RunContinued):
                await self._follow()
                continue
            if not isinstance(event, e.IncidentOpened):
                return self._unwrap(event)
            if not through_incidents:
                raise standing_still(self.id, event)
            await asyncio.sleep(0.5)

    def _unwrap(self, event: e.Event) -> R:
        if isinstance(event, e.RunCompleted):
            decoded: R = self._engine.encodings.decode(event.result, self._returns)
            return decoded
        if isinstance(event, e.RunFailed):
            failure = event.failure
            raise RunFailed(
                f"run {self.id!r} failed: {failure.type}: {failure.message}", run_id=self.id, failure=failure
            )
        reason = getattr(event, "reason", "")
        kind = RunCancelled if isinstance(event, e.RunCancelled) else RunTerminated
        word = "cancelled" if kind is RunCancelled else "terminated"
        raise kind(f"run {self.id!r} was {word}" + (f": {reason}" if reason else ""), run_id=self.id)

    async def _follow(self) -> RunRow:
        """Goes to the last run of the chain."""
        try:
            row = await self._engine.latest(self.run)
        except RunNotFound:
            row = await self._engine.latest(self._first)
        self.run, self._first = row.run, row.chain or row.run
        return row

    async def _reach(self, act: Callable[[int], Awaitable[T]]) -> T:
        """Does something with the run, or with the one that goes on from it where it is past its time and deleted.

        Raises:
            RunNotFound: there is none of its chain any more.
        """
        try:
            return await act(self.run)
        except RunNotFound as error:
            await self._go_past(error)
        return await act(self.run)

    async def _go_past(self, error: RunNotFound) -> None:
        """Goes on with the chain of a run that is deleted; raises ``error`` where there is none."""
        before = self.run
        if (await self._follow()).run == before:
            raise error

    async def status(self) -> RunRow:
        """The run's row: state, times, attributes."""
        return await self._follow()

    async def pause(self, reason: str = "", *, by: str = "") -> None:
        """Has the run stand still until ``resume``: attempts that are under way end, messages are kept, timers wait."""
        await self._reach(lambda run: self._engine.pause(run, reason, by=by))

    async def resume(self, *, by: str = "") -> None:
        """Lets the run go on: what came in meanwhile is seen, in order, and timers that became due fire.

        Raises:
            CallerError: nobody has paused it.
        """
        await self._reach(lambda run: self._engine.resume(run, by=by))

    async def _signal(self, to: Address, value: Any, message: str | None) -> None:
        await self._reach(lambda run: self._engine.signal(run, to, value, message=message))

    async def _update(self, to: Address, args: tuple[Any, ...], id: str | None) -> Any:
        return await self._reach(lambda run: self._engine.update(run, to, args, id=id))

    async def _query(self, to: Address, args: tuple[Any, ...]) -> Any:
        return await self._reach(lambda run: self._engine.query(run, to, args))

    async def cancel(self, reason: str = "") -> None:
        """Asks the run to stop: its ``finally`` blocks and compensations run. A second request changes nothing."""
        await self._reach(lambda run: self._engine.cancel(run, reason))

    async def terminate(self, reason: str = "") -> None:
        """Ends the run at once. Nothing is undone."""
        await self._reach(lambda run: self._engine.terminate(run, reason))

    async def retry(self, key: str | None = None) -> None:
        """Resolves the run's incidents (or the one of a step's key): it goes on with new attempts, or with new code."""
        await self._reach(lambda run: self._engine.retry(run, key))

    async def retry_from(
        self,
        step: str = "failed",
        *,
        args: tuple[Any, ...] | None = None,
        code: Literal["same", "newest"] = "same",
        by: str = "",
    ) -> Handle[R]:
        """Runs a part of the run again, from a step (key or name), the one that ``failed`` or the ``start``: a new run
        with the same id. See ``Engine.retry_from``, and ``Engine.preview`` for what it would do."""
        return await self._engine.retry_from(self.run, step, args=args, code=code, by=by)

    async def fork(
        self,
        *,
        step: str | None = None,
        seq: int | None = None,
        args: tuple[Any, ...] | None = None,
        code: Literal["same", "newest"] = "same",
        id: str | None = None,
        by: str = "",
    ) -> Handle[R]:
        """A new run that goes on from a place in this one's journal; this one stays as it is. See ``Engine.fork``."""
        return await self._engine.fork(self.run, step=step, seq=seq, args=args, code=code, id=id, by=by)

    async def skip(self, call: str, result: Any = None, *, by: str = "") -> None:
        """Answers a call (its key or name) with a result, in its callee's place.

        Raises:
            NotRepairable, InvalidArgument: nothing was changed.
        """
        await self._reach(lambda run: self._engine.skip(run, call, result, by=by))

    async def edit_input(self, call: str, *args: Any, by: str = "", **kwargs: Any) -> None:
        """Gives further attempts of a step other arguments. Raises as ``skip``."""
        await self._engine.edit_input(self.run, call, *args, by=by, **kwargs)

    async def history(self) -> list[Recorded]:
        """The run's journal; of a chain, that of its last run."""
        await self._follow()
        return [Recorded(seq, event) for seq, event in await self._engine.read_events(self.run)]

    async def artifacts(self) -> list[Artifact]:
        """What the workflow and its steps have attached for people to look at."""
        return await self._engine.artifacts(self.run)

    async def published(self) -> dict[str, Any]:
        """What the workflow has published."""
        await self._follow()
        return self._engine.published(self.run)

    @overload
    def events(self, *, after: int = 0) -> AsyncIterator[Recorded]: ...
    @overload
    def events(self, *, after: int = 0, progress: Literal[True]) -> AsyncIterator[Live]: ...
    def events(self, *, after: int = 0, progress: bool = False) -> AsyncIterator[Any]:
        """The run's events as they come to be on disk, until it ends: ``async for recorded in handle.events()``.

        Args:
            after: the last event's number that is known already.
            progress: also what the workflow publishes (``Published``) and what its steps report (``Progress``).
        """
        return follow_all(self._engine, self.run, after) if progress else follow(self._engine, self.run, after)
