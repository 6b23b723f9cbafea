"""Transaction groups: steps that count together. When all have succeeded they are committed, else they are rolled back.

A step prepares its effect, and its ``commit=`` hook makes it final: written beside and moved into place, held and then
taken. The hooks run in the order of the steps once the block is through; the ``rollback=`` hooks in the opposite order
when it fails. They are steps, so a crash on the way changes nothing. A commit hook that fails for good rolls nothing
back, since others are through: the run stands still until a person has acted, as for a rollback hook.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, TypeVar, overload

from segue.authoring.python.saga import saga

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
R = TypeVar("R")
Answer = Coroutine[Any, Any, R]


class group:
    """``async with group() as g:`` around steps that are committed or rolled back together.

    Args:
        within: another group. What this one would commit is committed with that one, and rolled back with it.
    """

    def __init__(self, *, within: group | None = None) -> None:
        self._saga: saga = saga() if within is None else within._saga
        self._hooks: list[tuple[Callable[..., Answer[Any]], tuple[Any, ...]]] = []
        self._within = within

    async def __aenter__(self) -> group:
        if self._within is None:
            await self._saga.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._within is not None:
            if error is None:
                self._within._hooks += self._hooks
        elif error is not None:
            await self._saga.__aexit__(kind, error, tb)
        elif self._hooks:
            await self._saga.see_through("group.commit", "commit", self._commit_all)

    @overload
    async def step(
        self,
        step: Callable[[], Answer[R]],
        /,
        *,
        commit: Callable[[R], Answer[Any]] | None = None,
        rollback: Callable[[R | None], Answer[Any]] | None = None,
    ) -> R: ...
    @overload
    async def step(
        self,
        step: Callable[[A], Answer[R]],
        a: A,
        /,
        *,
        commit: Callable[[A, R], Answer[Any]] | None = None,
        rollback: Callable[[A, R | None], Answer[Any]] | None = None,
    ) -> R: ...
    @overload
    async def step(
        self,
        step: Callable[[A, B], Answer[R]],
        a: A,
        b: B,
        /,
        *,
        commit: Callable[[A, B, R], Answer[Any]] | None = None,
        rollback: Callable[[A, B, R | None], Answer[Any]] | None = None,
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
        commit: Callable[[A, B, C, R], Answer[Any]] | None = None,
        rollback: Callable[[A, B, C, R | None], Answer[Any]] | None = None,
    ) -> R: ...
    async def step(self, step: Any, /, *args: Any, commit: Any = None, rollback: Any = None) -> Any:
        """Calls a step (or a child workflow). The hooks get the same arguments and the result; a rollback hook gets
        None where the result is not known, and has to cope with both."""
        result = await self._saga.step(step, *args, undo=rollback)
        if commit is not None:
            self._hooks.append((commit, (*args, result)))
        return result

    def on_commit(self, hook: Callable[..., Answer[Any]], /, *args: Any) -> None:
        """Registers something to be done when all have succeeded."""
        self._hooks.append((hook, args))

    def on_rollback(self, hook: Callable[..., Answer[Any]], /, *args: Any) -> None:
        """Registers something to be done when one has failed."""
        self._saga.undo(hook, *args)

    async def _commit_all(self) -> None:
        while self._hooks:
            hook, args = self._hooks.pop(0)
            await self._saga.insist("commit", hook, args)
