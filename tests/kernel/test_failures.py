"""Failures as they are kept: whose frames a traceback shows."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from segue.errors import PayloadError, RunCancelled, RunFailed
from segue.kernel.encoding import Encodings
from segue.kernel.events import Failure
from segue.kernel.failures import describe, summary
from segue.kernel.payload import JSON, Payload


def broken() -> None:
    raise KeyError("gone")


def test_a_traceback_from_a_thread_begins_in_the_users_code() -> None:
    with ThreadPoolExecutor(1) as pool:
        error = pool.submit(broken).exception()
    assert error is not None
    lines = describe(error).traceback.splitlines()
    assert f'File "{__file__}", line' in lines[1]
    assert not any("concurrent" in line for line in lines)


async def test_a_traceback_from_within_asyncio_begins_in_the_users_code() -> None:
    async def breaks() -> None:
        broken()

    with pytest.raises(KeyError) as caught:
        await asyncio.wait_for(breaks(), None)
    text = describe(from_within(caught.value)).traceback
    assert ", in breaks\n" in text
    assert "asyncio" not in text


def from_within(error: BaseException) -> BaseException:
    """The error as if the call had begun in segue's own code."""
    assert error.__traceback__ is not None
    return error.with_traceback(error.__traceback__.tb_next)


def test_an_error_of_ours_that_no_frame_of_the_users_led_to_has_no_traceback() -> None:
    with pytest.raises(PayloadError) as caught:
        Encodings().decode(Payload(JSON, b'"x"'), int)
    assert caught.value.reason == "Expected `int`, got `str`"
    failure = describe(from_within(caught.value))
    assert failure.traceback == ""
    assert failure.cause is not None
    assert failure.cause.traceback == ""


def test_a_defect_of_ours_is_told_by_our_frames() -> None:
    with pytest.raises(AttributeError) as caught:
        Encodings().decode(None, int)  # type: ignore[arg-type]
    assert "segue" in describe(from_within(caught.value)).traceback


class Guarded(Exception):
    @property
    def details(self) -> object:
        raise LookupError("no details before it is sent")


def test_details_that_cannot_be_read_do_not_hide_the_failure() -> None:
    failure = describe(Guarded("not sent"), Encodings())
    assert (failure.message, failure.details) == ("not sent", None)


def test_of_a_group_all_are_told() -> None:
    inner = ExceptionGroup("inner", [LookupError("second"), LookupError("third")])
    with pytest.raises(ExceptionGroup) as caught:
        raise ExceptionGroup("several", [ValueError("first"), inner, *(OSError(f"no {n}") for n in range(20))])
    failure = describe(caught.value)
    assert failure.cause is not None
    assert failure.cause.message == "first"
    told = failure.traceback
    assert "ExceptionGroup: several (22 sub-exceptions)" in told
    assert "LookupError: second" in told
    assert "LookupError: third" in told
    assert "OSError: no 18" in told
    assert "OSError: no 19" not in told
    assert told.endswith("  and 1 more in the group\n")


def test_a_group_that_another_exception_led_to_is_told_whole() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        raise ExceptionGroup("several", [ValueError("first"), ValueError("second")]) from KeyError("why")
    failure = describe(caught.value)
    assert failure.cause is not None
    assert failure.cause.type == "KeyError"
    assert "ValueError: first" in failure.traceback
    assert "ValueError: second" in failure.traceback


def test_errors_of_ours_in_a_group_are_no_defects_of_ours() -> None:
    with pytest.raises(PayloadError) as caught:
        Encodings().decode(Payload(JSON, b'"x"'), int)
    error = from_within(caught.value)
    with pytest.raises(ExceptionGroup) as group:
        raise ExceptionGroup("several", [error, PayloadError("another")])
    failure = describe(group.value)
    assert failure.cause is not None
    assert failure.cause.traceback == ""
    with pytest.raises(ExceptionGroup) as group:
        raise ExceptionGroup("several", [ValueError("mine"), error])
    assert "encoding.py" not in describe(group.value).traceback
    assert "PayloadError: " in describe(group.value).traceback


def test_an_exception_without_a_message_is_summed_up_by_its_name() -> None:
    assert summary(describe(TimeoutError())) == "TimeoutError"
    assert summary(describe(TimeoutError("too late\nby far"))) == "TimeoutError: too late"


def test_a_run_s_failure_keeps_its_child_s_as_its_cause() -> None:
    child = Failure("LookupError", "no tea", "Traceback …", True)
    failure = describe(RunFailed("child run 'c' failed", run_id="c", failure=child))
    assert failure.cause == child
    assert summary(failure) == "RunFailed: child run 'c' failed", "it says which run"
    assert describe(RunCancelled("child run 'c' was cancelled", run_id="c")).cause is None


def test_of_children_s_children_so_many_are_told_as_of_causes() -> None:
    failure = describe(LookupError("no tea"))
    for depth in range(100):
        failure = describe(RunFailed(f"run {depth} failed", failure=failure))
    chain = [failure]
    while chain[-1].cause is not None:
        chain.append(chain[-1].cause)
    assert [link.message for link in chain] == [f"run {depth} failed" for depth in range(99, 90, -1)]
