"""Steps of which there is nothing to tell but when they ran, column by column: of ten thousand of them an answer is a
tenth as long as it would be one by one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from segue.kernel.payload import JSON, Payload
from segue.kernel.plain import byte_count
from segue.kernel.timeline import Call

SMALL = 16 * 1024
"""Bytes of a value that a screen may ask for without being told to; a call with a larger one says so."""
SHORT = 120
"""Bytes of a result that a line of a screen has room for."""
FEW = 1_000
"""Calls with whose results an answer does not grow too long."""


class PlainCalls(msgspec.Struct, frozen=True, kw_only=True):
    """Steps that completed in their first attempt, in order of their beginning. Lists have one entry for each of them.

    Attributes:
        names, workers: what ``name`` and ``worker`` are places in.
        began: when it was called, in µs after the run's start. waited: µs from there until its attempt began.
        ran: µs that this took.
        seq: the event that has its ``input`` and ``result``, by which they are asked for.
        result: its result as JSON, null where that is not short, or where calls are very many.
    """

    names: list[str]
    workers: list[str]
    key: list[str]
    name: list[int]
    worker: list[int]
    began: list[int]
    waited: list[int]
    ran: list[int]
    seq: list[int]
    result: list[str | None]


def is_plain(call: Call) -> bool:
    """Whether the columns say all that there is to say of it."""
    return (
        call.kind == "step"
        and call.state == "completed"
        and call.attempts == len(call.tries) == 1
        and call.tries[0].failure is None
        and call.tries[0].ended_at == call.ended_at is not None
        and _is_small(call.input)
        and _is_small(call.result)
        and call.result_at is not None
        and call.input_at == (call.result_at[0], "input")
        and call.progress is None
        and not call.by
        and not call.undo
    )


def plain_calls(calls: Sequence[Call], start: int) -> PlainCalls:
    """The columns of calls that are plain, for a run that started then."""
    names: dict[str, int] = {}
    workers: dict[str, int] = {}
    columns = PlainCalls(
        names=[], workers=[], key=[], name=[], worker=[], began=[], waited=[], ran=[], seq=[],
        result=[_short(call.result) for call in calls] if len(calls) <= FEW else [None] * len(calls),
    )  # fmt: skip
    for call in calls:
        (attempt,) = call.tries
        assert call.result_at is not None
        assert attempt.ended_at is not None
        columns.key.append(call.key)
        columns.name.append(names.setdefault(call.name, len(names)))
        columns.worker.append(workers.setdefault(attempt.worker, len(workers)))
        columns.began.append(call.began_at - start)
        columns.waited.append(attempt.started_at - call.began_at)
        columns.ran.append(attempt.ended_at - attempt.started_at)
        columns.seq.append(call.result_at[0])
    columns.names.extend(names)
    columns.workers.extend(workers)
    return columns


def _short(value: Payload | None) -> str | None:
    if value is None or value.encoding != JSON or value.ref is not None or value.parts:
        return None
    if len(value.data) > SHORT:
        return None
    return bytes(value.data).decode()


def _is_small(value: Payload | None) -> bool:
    return value is not None and byte_count(value) <= SMALL
