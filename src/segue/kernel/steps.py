"""What a step is to the kernel: how its calls are told apart, and the terms it runs under."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

from segue.kernel.caching import CacheTerms
from segue.kernel.payload import Payload
from segue.kernel.retry import ONCE, OnExhausted, Retry

Executor = Literal["loop", "thread", "process", "transaction", "queue"]


class StepSpec(msgspec.Struct, frozen=True, gc=False):
    """The terms a step runs under.

    Attributes:
        name: unique within the app.
        executor: where it runs: on the event loop (``async def``), in a thread, in a process of its own,
            in a transaction of the store's, or wherever somebody serves the ``queue``.
        retry: its retry policy.
        timeout: µs that one attempt may take, from when it begins (start-to-close); None for no limit.
        grace: µs that a cancelled attempt has to end by itself.
        on_exhausted: what follows the last failed attempt: ``raise`` StepFailed, or open an ``incident``.
        at_most_once: journal the start of the first attempt too, and never run it again after a lost process.
        cache: the terms under which a recorded result may stand for this call.
        by_reference: the result is kept apart, and what is recorded says where.
        pure: without side effects: a recorded outcome that is no longer used is no reason to stop.
        schedule_to_start: µs that one attempt may wait for a free thread or process.
        schedule_to_close: µs for all attempts together, the waits between them included, from the call on.
        heartbeat: µs that may pass between two heartbeats of an attempt.
        summary: what the call is about, in a person's words.
        queue: where its attempts wait to be activated over HTTP; empty unless that is its executor.
    """

    name: str
    executor: Executor = "loop"
    retry: Retry = ONCE
    timeout: int | None = None
    grace: int = 10_000_000
    on_exhausted: OnExhausted = "raise"
    at_most_once: bool = False
    pure: bool = False
    schedule_to_start: int | None = None
    schedule_to_close: int | None = None
    heartbeat: int | None = None
    summary: str | None = None

    @property
    def limited(self) -> bool:
        """Whether anything is counted from the moment at which an attempt begins."""
        return self.timeout is not None or self.heartbeat is not None or self.schedule_to_start is not None

    cache: CacheTerms | None = None
    by_reference: bool = False
    queue: str = ""


DECISION = "decision:"
"""How the name of a call begins that makes a decision. It has no side effects, so its outcome may go unused."""


def step_key(path: str, name: str, n: int) -> str:
    """The identity of a call: the task's path, the step's name, and the how-manieth of that name in that task (from 0).

    ``/charge``, ``/charge#1``, ``/0.2/pick``.
    """
    return f"{path}/{name}#{n}" if n else f"{path}/{name}"


def called(key: str) -> str:
    """What a key says is called, without the task and the number; of an explicit one the key itself."""
    return key.removeprefix("=") if key.startswith("=") else key.rpartition("/")[2].partition("#")[0]


def name_of(key: str) -> str:
    """The name of the step or decision in a key; of an explicit one the key itself."""
    return called(key) if key.startswith("=") else called(key).removeprefix(DECISION)


class StepRunner(Protocol):
    """A step's code as the runtime sees it: it never knows which notation the step was written in."""

    spec: StepSpec

    def decode(self, payload: Payload) -> Any:
        """The arguments, as ``call`` wants them. Raises ``PayloadError``."""

    def call(self, arguments: Any) -> Any:
        """Runs the function: a coroutine for executor ``loop``, the result for ``thread``. For ``transaction`` the
        connection stands before the positional arguments."""

    def encode(self, result: Any) -> Payload:
        """The result's payload. Raises ``PayloadError`` naming the path inside the value."""

    def locate(self) -> tuple[str, str]:
        """(module, qualified name) under which a fresh process finds the same step."""
