"""Whether a failed attempt is tried again, and when: policy as data, decision as a pure function.

Nothing retries unless asked: the default policy makes one attempt. Randomness is passed in and what came of it is
journaled with the failure (``StepFailed.retry_at``), so that replay never draws again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import msgspec

from segue.errors import InvalidArgument, NonRetryable
from segue.kernel.duration import Duration, microseconds

Verdict = bool | Duration | None
"""What a ``decide`` function may say: True or None (as the policy says), False (no more), or a delay."""


def _is_number(value: object, kind: type | tuple[type, ...]) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _names_exceptions(entry: object) -> bool:
    return isinstance(entry, str) or (isinstance(entry, type) and issubclass(entry, BaseException))


class Retry(msgspec.Struct, frozen=True):
    """A retry policy.

    Attributes:
        attempts: how many attempts are made in all; 0 means without end (each is still counted and shown).
        initial: wait before the second attempt: seconds, or text such as ``"500ms"``, ``"10s"``, ``"1m"``.
        backoff: factor from one wait to the next, ≥ 1.
        maximum: upper limit of a wait.
        jitter: share of the wait, 0 to 1, that is drawn at random (0.1: between 90 % and 100 % of it).
        non_retryable: exception classes, or their names, after which no attempt follows.
        decide: called with the exception and the attempt's number; may say False (give up), True or None (as the
            policy says), or a delay that replaces the policy's. Where it raises, or says anything else, that error is
            the step's, and no attempt follows.
    """

    attempts: int = 1
    initial: Duration = "1s"
    backoff: float = 2.0
    maximum: Duration = "1h"
    jitter: float = 0.1
    non_retryable: tuple[type[BaseException] | str, ...] = ()
    decide: Callable[[BaseException, int], Verdict] | None = None

    def __post_init__(self) -> None:
        if not _is_number(self.attempts, int) or self.attempts < 0:
            raise InvalidArgument("Retry(attempts=…) counts from 1; 0 means without end", path="attempts")
        if not _is_number(self.backoff, (int, float)) or not 1 <= self.backoff < math.inf:
            raise InvalidArgument("Retry(backoff=…) is a factor of at least 1", path="backoff")
        if not _is_number(self.jitter, (int, float)) or not 0 <= self.jitter <= 1:
            raise InvalidArgument("Retry(jitter=…) is a share between 0 and 1", path="jitter")
        if not isinstance(self.non_retryable, tuple) or not all(map(_names_exceptions, self.non_retryable)):
            raise InvalidArgument(
                "Retry(non_retryable=…) is a tuple of exception classes or their names, such as (ValueError,)",
                path="non_retryable",
            )
        microseconds(self.initial)
        microseconds(self.maximum)


class NoVerdict(Exception):
    """``decide`` has raised, or said what means nothing.

    Attributes:
        error: what it raised; its cause is the exception that ``decide`` was asked about.
    """

    def __init__(self, error: BaseException, asked: BaseException) -> None:
        if error is not asked:
            error.__cause__ = asked
        self.error = error


ONCE = Retry()
"""The default: one attempt."""


def delay(policy: Retry, failures: int, *, draw: float) -> int:
    """Microseconds to wait after the ``failures``-th failure; ``draw`` is a random number in [0, 1)."""
    initial, longest = microseconds(policy.initial), microseconds(policy.maximum)
    # 2.0 ** 2000 is an OverflowError, and 2 ** 64 times the shortest wait is beyond any maximum.
    bounded = (failures - 1) * math.log2(policy.backoff) < 64
    wait = min(longest, initial * (policy.backoff ** (failures - 1) if bounded else 2**64))
    return int(wait * (1 - policy.jitter * draw))


def next_attempt(
    policy: Retry, failures: int, error: BaseException, *, now: int, draw: float
) -> tuple[int | None, bool]:
    """When the next attempt is due after the ``failures``-th failure, and whether the error was retryable at all.

    Returns:
        (µs since the epoch or None for "no more", False if the error itself rules out another attempt).

    Raises:
        NoVerdict: ``decide`` does not say.
    """
    wait, retryable = verdict(policy, failures, error)
    if not retryable:
        return None, False
    if policy.attempts and failures >= policy.attempts:
        return None, True
    return now + (delay(policy, failures, draw=draw) if wait is None else wait), True


def verdict(policy: Retry, failures: int, error: BaseException) -> tuple[int | None, bool]:
    """What the exception itself says of another attempt, whoever counts the attempts.

    Returns:
        (the delay (µs) that ``decide`` names, or None for the policy's own; False if the error rules out another one).

    Raises:
        NoVerdict: ``decide`` does not say.
    """
    if isinstance(error, NonRetryable) or _listed(error, policy.non_retryable):
        return None, False
    if policy.decide is None:
        return None, True
    try:
        said = policy.decide(error, failures)
        return (None if said is None or isinstance(said, bool) else microseconds(said)), said is not False
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as second:  # it is the user's code, and may pass on what it was asked about: any exception
        raise NoVerdict(second, error) from None


def _listed(error: BaseException, classes: tuple[type[BaseException] | str, ...]) -> bool:
    family = type(error).__mro__
    names = {c.__name__ for c in family} | {f"{c.__module__}.{c.__qualname__}" for c in family}
    return any(c in names if isinstance(c, str) else isinstance(error, c) for c in classes)


OnExhausted = Literal["raise", "incident"]
