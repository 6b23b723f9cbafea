"""Two of the five error policies: what a call does instead of raising ``StepFailed``.

The other three are ``retry=`` (try again), ``undo=`` in a saga (compensate) and ``except StepFailed`` (branch).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from copy import deepcopy
from typing import Any, Literal, Protocol

import msgspec

from segue.authoring.python.tasks import approval
from segue.errors import PayloadError, StepFailed
from segue.kernel.duration import Duration


class ErrorPolicy(Protocol):
    async def handle(self, error: StepFailed, again: Callable[[], Awaitable[Any]], fit: Callable[[Any], Any]) -> Any:
        """What the call answers instead; may call the step ``again``, or raise ``error`` after all. ``fit`` makes a
        plain value one of the step's type, or raises ``PayloadError``."""


class Resolution(msgspec.Struct, frozen=True):
    """What a person decides about a step that failed."""

    action: Literal["retry", "skip", "fail"]
    result: Any = None
    """With ``skip``: what the call answers; of the step's type, or the person is asked again."""


class skip:
    """``on_error=skip(default)``: a step that failed answers ``default`` instead, a copy for each call."""

    def __init__(self, default: Any = None) -> None:
        self.default = default

    async def handle(self, error: StepFailed, again: Callable[[], Awaitable[Any]], fit: Callable[[Any], Any]) -> Any:
        # What a run changes in it is not there for the next one, nor at replay. What is compared by identity is a mark.
        kind: Any = type(self.default)
        return self.default if kind.__eq__ is object.__eq__ else deepcopy(self.default)


class escalate:
    """``on_error=escalate("ops")``: a step that failed becomes a task for a person, answered by a ``Resolution``."""

    def __init__(self, to: str, *, timeout: Duration | None = None, then: str | None = None) -> None:
        self.to = to
        self.timeout = timeout
        self.then = then

    async def handle(self, error: StepFailed, again: Callable[[], Awaitable[Any]], fit: Callable[[Any], Any]) -> Any:
        facts = {"step": error.step, "error": str(error), "attempts": error.attempts}
        while True:
            answer = await approval(
                self.to,
                name=f"{error.step} failed",
                form=Resolution,
                subject=facts,
                timeout=self.timeout,
                escalate=self.then,
            )
            if answer.action == "retry":
                return await again()
            if answer.action == "fail":
                raise error
            try:
                return fit(answer.result)
            except PayloadError as misfit:
                facts = facts | {"problem": f"the result that was given does not fit: {misfit}"}
