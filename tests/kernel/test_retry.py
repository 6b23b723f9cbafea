"""Retry policies: when the next attempt is due."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InvalidArgument, NonRetryable
from segue.kernel.duration import microseconds
from segue.kernel.retry import ONCE, NoVerdict, Retry, Verdict, delay, next_attempt

NOW = 1_700_000_000_000_000
SECOND = 1_000_000


class Declined(ValueError):
    """A user's exception."""


class Final(NonRetryable):
    """A user's exception after which nothing helps."""


@pytest.mark.parametrize(
    ("policy", "failures", "draw", "expected"),
    [
        (Retry(jitter=0), 1, 0.0, SECOND),
        (Retry(jitter=0), 2, 0.0, 2 * SECOND),
        (Retry(jitter=0), 5, 0.0, 16 * SECOND),
        (Retry(jitter=0, backoff=3), 4, 0.0, 27 * SECOND),
        (Retry(jitter=0, backoff=1), 100, 0.0, SECOND),
        (Retry(jitter=0, maximum="5s"), 4, 0.0, 5 * SECOND),
        (Retry(jitter=0, initial="1m", maximum="5s"), 1, 0.0, 5 * SECOND),
        (Retry(jitter=0, initial=0), 50, 0.0, 0),
        (Retry(jitter=0, initial=0, backoff=1e300), 50, 0.0, 0),
        (Retry(jitter=0.1), 1, 0.0, SECOND),
        (Retry(jitter=0.1), 1, 0.5, 950_000),
        (Retry(jitter=1), 1, 0.75, 250_000),
        (Retry(jitter=0, backoff=2.0), 100_000, 0.0, 3600 * SECOND),
        (Retry(jitter=0, backoff=1000.0), 10_000, 0.0, 3600 * SECOND),
        (Retry(jitter=0, backoff=1e300, initial="1us", maximum="1000w"), 3, 0.0, 1000 * 604_800 * SECOND),
        (Retry(jitter=0, backoff=1.0000001, initial="1s"), 10**9, 0.0, 3600 * SECOND),
    ],
)
def test_delay(policy: Retry, failures: int, draw: float, expected: int) -> None:
    assert delay(policy, failures, draw=draw) == expected


def say(verdict: Verdict) -> Retry:
    return Retry(attempts=3, jitter=0, decide=lambda error, attempt: verdict)


@pytest.mark.parametrize(
    ("policy", "failures", "error", "expected"),
    [
        (ONCE, 1, ValueError(), (None, True)),
        (Retry(attempts=3, jitter=0), 1, ValueError(), (NOW + SECOND, True)),
        (Retry(attempts=3, jitter=0), 2, ValueError(), (NOW + 2 * SECOND, True)),
        (Retry(attempts=3, jitter=0), 3, ValueError(), (None, True)),
        (Retry(attempts=3, jitter=0), 4, ValueError(), (None, True)),
        (Retry(attempts=0, jitter=0), 10_000, ValueError(), (NOW + 3600 * SECOND, True)),
        (Retry(attempts=3), 1, NonRetryable("no"), (None, False)),
        (Retry(attempts=3), 1, Final("no"), (None, False)),
        (Retry(attempts=3, non_retryable=(ValueError,)), 1, Declined(), (None, False)),
        (Retry(attempts=3, non_retryable=("ValueError",)), 1, Declined(), (None, False)),
        (Retry(attempts=3, non_retryable=("builtins.ValueError",)), 1, Declined(), (None, False)),
        (Retry(attempts=3, non_retryable=(f"{__name__}.Declined",)), 1, Declined(), (None, False)),
        (Retry(attempts=3, jitter=0, non_retryable=("Declined",)), 1, ValueError(), (NOW + SECOND, True)),
        (Retry(attempts=3, jitter=0, non_retryable=(KeyError,)), 1, Declined(), (NOW + SECOND, True)),
        (say(False), 1, ValueError(), (None, False)),
        (say(True), 1, ValueError(), (NOW + SECOND, True)),
        (say(None), 1, ValueError(), (NOW + SECOND, True)),
        (say(0), 1, ValueError(), (NOW, True)),
        (say("10s"), 1, ValueError(), (NOW + 10 * SECOND, True)),
        (say(2.5), 2, ValueError(), (NOW + 2_500_000, True)),
        (say("10s"), 3, ValueError(), (None, True)),
        (say(False), 3, ValueError(), (None, False)),
        (say("10s"), 1, NonRetryable(), (None, False)),
    ],
)
def test_next_attempt(policy: Retry, failures: int, error: BaseException, expected: tuple[int | None, bool]) -> None:
    assert next_attempt(policy, failures, error, now=NOW, draw=0.0) == expected


def test_decide_sees_the_error_and_the_number_of_the_attempt() -> None:
    seen: list[tuple[BaseException, int]] = []
    policy = Retry(attempts=9, decide=lambda error, attempt: seen.append((error, attempt)))
    error = ValueError("x")
    next_attempt(policy, 4, error, now=NOW, draw=0.5)
    assert seen == [(error, 4)]


def _raise(error: BaseException) -> Any:
    raise error


@pytest.mark.parametrize(
    ("decide", "raised"),
    [
        (lambda error, attempt: error.code, AttributeError),
        (lambda error, attempt: "soon", InvalidArgument),
        (lambda error, attempt: _raise(GeneratorExit()), GeneratorExit),
        (lambda error, attempt: _raise(error), ValueError),
    ],
)
def test_decide_that_does_not_say_is_told_with_what_it_was_asked_about(decide: Any, raised: type) -> None:
    error = ValueError("x")
    with pytest.raises(NoVerdict) as caught:
        next_attempt(Retry(attempts=9, decide=decide), 1, error, now=NOW, draw=0.5)
    assert type(caught.value.error) is raised
    assert caught.value.error.__cause__ is (None if caught.value.error is error else error)


def test_decide_that_ends_the_program_ends_it() -> None:
    with pytest.raises(KeyboardInterrupt):
        next_attempt(Retry(decide=lambda *_: _raise(KeyboardInterrupt())), 1, ValueError(), now=NOW, draw=0.5)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("attempts", -1),
        ("attempts", 2.5),
        ("attempts", "3"),
        ("attempts", True),
        ("backoff", 0.5),
        ("backoff", -1),
        ("backoff", math.inf),
        ("backoff", math.nan),
        ("backoff", "2"),
        ("jitter", -0.1),
        ("jitter", 1.1),
        ("jitter", math.nan),
        ("jitter", None),
        ("non_retryable", ValueError),
        ("non_retryable", "ValueError"),
        ("non_retryable", (1,)),
        ("non_retryable", (int,)),
    ],
)
def test_a_policy_that_means_nothing_is_refused(path: str, value: Any) -> None:
    with pytest.raises(InvalidArgument, match=rf"Retry\({path}=") as caught:
        Retry(**{path: value})
    assert caught.value.path == path


@pytest.mark.parametrize("field", ["initial", "maximum"])
@pytest.mark.parametrize("value", ["soon", -1, math.inf])
def test_a_wait_that_is_no_length_of_time_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InvalidArgument):
        Retry(**{field: value})


POLICIES = st.builds(
    Retry,
    attempts=st.integers(0, 10),
    initial=st.one_of(st.just(0), st.floats(1e-6, 1e6)),
    backoff=st.floats(1, 1e308),
    maximum=st.floats(0, 1e12),
    jitter=st.floats(0, 1),
)


@given(POLICIES, st.integers(1, 10**9), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_negative_nor_beyond_the_maximum(policy: Retry, failures: int, draw: float) -> None:
    assert 0 <= delay(policy, failures, draw=draw) <= microseconds(policy.maximum)


@given(POLICIES, st.integers(1, 1000))
def test_waits_never_shrink(policy: Retry, failures: int) -> None:
    assert delay(policy, failures, draw=0) <= delay(policy, failures + 1, draw=0)
