"""Compensation: what was done is undone, last first, when the block fails or is cancelled.

Undo is registered before dispatch: a step may take effect and its outcome still be lost to a timeout or a crash, so
its undo is called in every case, with the result where one is known and ``None`` where not. It has to cope with both.
A step that is still under way when a sibling fails is cancelled, and undone once it has ended: never before.
Undoing is shielded from cancellation. A step that fails for good while undoing does not raise (unless it has an
``on_error=``): the run stands still with the rest of the list until a person has acted. So it does when an undo raises.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, TypeVar, overload

from segue.authoring.python.execution import CodeExecution, ContinueAsNew, require
from segue.authoring.python.loop import Dead
from segue.errors import CompensationFailed

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
R = TypeVar("R")
Answer = Coroutine[Any, Any, R]


class _Entry:
    """One thing to undo: what to call, with what, and what came of the step."""

    __slots__ = ("_stopping", "args", "ended", "made", "result", "task", "undo", "with_result")

    def __init__(self, undo: Any, args: tuple[Any, ...], task: asyncio.Task[Any] | None = None) -> None:
        self.undo = undo
        self.args = args
        self.result: Any = None
        self.with_result = task is not None
        self.task = task
        self.ended: asyncio.Future[None] | None = None
        self.made = True
        self._stopping = False

    def stop(self) -> None:
        """Asks a step that is still under way to end."""
        if self.task is not None and self.ended is not None and not self.ended.done() and not self._stopping:
            self._stopping = True
            self.task.cancel()


class saga:
    """``async with saga() as s:`` around steps that belong together."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._execution: CodeExecution

    async def __aenter__(self) -> saga:
        self._execution = require("saga()")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        # Dead: the run only leaves memory. GeneratorExit: nobody wanted more of an async generator. ContinueAsNew: the
        # block is left as by ``return``.
        if error is not None and not isinstance(error, (Dead, GeneratorExit, ContinueAsNew)):
            await self.compensate()

    @overload
    async def step(
        self, step: Callable[[], Answer[R]], /, *, undo: Callable[[R | None], Answer[Any]] | None = None
    ) -> R: ...
    @overload
    async def step(
        self, step: Callable[[A], Answer[R]], a: A, /, *, undo: Callable[[A, R | None], Answer[Any]] | None = None
    ) -> R: ...
    @overload
    async def step(
        self,
        step: Callable[[A, B], Answer[R]],
        a: A,
        b: B,
        /,
        *,
        undo: Callable[[A, B, R | None], Answer[Any]] | None = None,
    ) -> R: ...
    @overload
    async def step(
        self,
        step: Callable[[A, B, C], Answer[R]],
        a: A,
        b: B,
        c: C,
        /,
        *,
        undo: Callable[[A, B, C, R | None], Answer[Any]] | None = None,
    ) -> R: ...
    async def step(self, step: Any, /, *args: Any, undo: Any = None) -> Any:
        """Calls a step (or a child workflow); ``undo`` gets the same arguments and the result or None."""
        if undo is None:
            return await step(*args)
        task = self._execution.calls.caller("saga.step")
        entry = _Entry(undo, args, task)
        entry.ended = ended = self._execution.loop.create_future()
        self._entries.append(entry)
        made = self._execution.calls.made
        task.late = None
        try:
            entry.result = await step(*args)
        except BaseException as error:
            entry.made = self._execution.calls.made > made  # if not, its arguments do not even fit
            if isinstance(error, asyncio.CancelledError):
                # Cancelled while it ran: it was let end first, and what came of it was kept for us.
                entry.result, task.late = task.late, None
            raise
        finally:
            ended.set_result(None)
        return entry.result

    def undo(self, undo: Callable[..., Answer[Any]], /, *args: Any) -> None:
        """Registers something to undo by hand."""
        self._entries.append(_Entry(undo, args))

    async def compensate(self) -> None:
        """Undoes everything now, last first. Cancelling the caller meanwhile takes effect when all is undone."""
        await self.see_through("saga.compensate", "undo", self._undo_all)

    async def see_through(self, what: str, word: str, run: Callable[[], Answer[None]]) -> None:
        """Runs it to its end in a task that is not cancelled; a cancellation of the caller takes effect after that."""
        caller = self._execution.calls.caller(what)
        path = f"{caller.path}/{word}{caller.next_call(what)}"
        going = self._execution.loop.spawn(run(), path, shielded=True)
        cancelled: asyncio.CancelledError | None = None
        while not going.done():
            try:
                await asyncio.shield(going)
            except asyncio.CancelledError as error:
                cancelled = error
        going.result()
        if cancelled is not None:
            raise cancelled

    async def _undo_all(self) -> None:
        while self._entries:
            for entry in self._entries:
                entry.stop()
            entry = self._entries.pop()
            if entry.ended is not None:
                await entry.ended
            if not entry.made:
                continue
            await self.insist("undo", entry.undo, (*entry.args, *((entry.result,) if entry.with_result else ())))

    async def insist(self, word: str, hook: Callable[..., Answer[Any]], args: tuple[Any, ...]) -> None:
        """Calls what must not fail: where it does, the run stands still."""
        try:
            await hook(*args)
        except Exception as error:
            name = getattr(hook, "name", None) or getattr(hook, "__qualname__", repr(hook))
            problem = CompensationFailed(f"{word} {name} raised {type(error).__name__}: {error}")
            problem.__cause__ = error
            self._execution.loop.halt(problem)
