"""Many runs at once: chosen by a filter or by their numbers, looked at beforehand, then each by itself."""

from __future__ import annotations

from typing import Any

import msgspec

from segue import bulk
from segue.errors import InvalidArgument
from segue.repair.actions import CodeChoice, Effect
from segue.repair.forking import FAILED
from segue.runtime.beside import beside
from segue.server.call import Call, Number
from segue.server.problems import Refused
from segue.server.runs import MOST, RunWhere, filter_of, find_run
from segue.stores.base import RunRow

AT_ONCE = 10_000
"""Runs that one request may choose: more are to be chosen in parts."""


class _Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    """What is done to each run; ``do`` names it."""


class CancelThem(_Act, frozen=True, forbid_unknown_fields=True, tag="cancel"):
    """Ask them to stop; what they did is undone first."""

    reason: str = ""


class TerminateThem(_Act, frozen=True, forbid_unknown_fields=True, tag="terminate"):
    """End them at once; nothing is undone."""

    reason: str = ""


class PauseThem(_Act, frozen=True, forbid_unknown_fields=True, tag="pause"):
    """Have them stand still."""

    reason: str = ""


class ResumeThem(_Act, frozen=True, forbid_unknown_fields=True, tag="resume"):
    """Let those go on that somebody has paused."""


class RetryThem(_Act, frozen=True, forbid_unknown_fields=True, tag="retry"):
    """Let those go on that stand still, with new attempts; ``step``: only on this call, by key; ``arguments``: what the
    step gets from now on, in order."""

    step: str | None = None
    arguments: list[Any] | None = None


class RerunThem(_Act, frozen=True, forbid_unknown_fields=True, tag="rerun"):
    """Run a part of them again, under their ids."""

    step: str | None = FAILED
    code: CodeChoice = "same"


class SkipThem(_Act, frozen=True, forbid_unknown_fields=True, tag="skip"):
    """Answer a call of theirs with a result."""

    call: str
    result: Any = None


Act = CancelThem | TerminateThem | PauseThem | ResumeThem | RetryThem | RerunThem | SkipThem


def _action(act: Act, by: str) -> bulk.Action:
    match act:
        case CancelThem(reason):
            return bulk.Cancel(reason, by)
        case TerminateThem(reason):
            return bulk.Terminate(reason, by)
        case PauseThem(reason):
            return bulk.Pause(reason, by)
        case ResumeThem():
            return bulk.Unpause(by)
        case RetryThem(step, arguments):
            return bulk.Resume(step, by, None if arguments is None else tuple(arguments))
        case RerunThem(step, code):
            return bulk.Rerun(step, code, by)
        case SkipThem(name, result):
            return bulk.Skip(name, result, by)


class BulkBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done, and to which runs: ``where`` chooses them as a list of runs does, or ``runs`` names them.

    Attributes:
        expect: how many runs the preview said; if it is another number by now, nothing is done.
        possible: runs to which it cannot be done are left out, and count as not chosen.
    """

    act: Act
    where: RunWhere | None = None
    runs: list[Number] | None = None
    expect: Number | None = None
    possible: bool = False


class BulkPreview(msgspec.Struct, frozen=True):
    """``chosen``: how many runs. ``possible``: to how many of them it can be done. ``effects``: on the first 500."""

    chosen: int
    possible: int
    effects: list[Effect]


class BulkDone(msgspec.Struct, frozen=True):
    """``done``: to how many of the runs that were chosen. ``outcomes``: up to 500, what was not done first."""

    chosen: int
    done: int
    outcomes: list[bulk.Outcome]


async def preview_bulk(call: Call[Any, BulkBody]) -> BulkPreview:
    rows = await _chosen(call)
    effects = await bulk.preview(call.engine, rows, _action(call.body.act, call.who.name))
    return BulkPreview(len(rows), sum(not effect.refused for effect in effects), effects[:MOST])


async def carry_out_bulk(call: Call[Any, BulkBody]) -> BulkDone:
    rows, expected = await _chosen(call), call.body.expect
    if call.body.possible:
        effects = await bulk.preview(call.engine, rows, _action(call.body.act, call.who.name))
        rows = [row for row, effect in zip(rows, effects, strict=True) if not effect.refused]
    if expected is not None and expected != len(rows):
        raise Refused(
            409, "others-chosen", "Others chosen",
            f"{len(rows):,} runs are chosen by now, not {expected:,}; look at the preview again",
        )  # fmt: skip
    outcomes = await bulk.carry_out(call.engine, rows, _action(call.body.act, call.who.name))
    outcomes.sort(key=lambda outcome: outcome.done)
    return BulkDone(len(rows), sum(outcome.done for outcome in outcomes), outcomes[:MOST])


async def _chosen(call: Call[Any, BulkBody]) -> list[RunRow]:
    """The runs.

    Raises:
        InvalidArgument: they are not chosen, chosen twice over, or too many.
    """
    body = call.body
    if (body.where is None) == (body.runs is None):
        raise InvalidArgument("choose runs by where, or name them in runs: one of the two", path="$.where")
    if body.runs is not None:
        _check_number(len(body.runs), "$.runs")
        return [find_run(call.engine, run) for run in dict.fromkeys(body.runs)]
    assert body.where is not None
    if body.where == RunWhere():
        raise InvalidArgument("where names no condition, and would choose every run there is", path="$.where")
    # In a thread: of a text that hardly any run has, it may take many looks.
    rows = await beside(bulk.choose, call.engine, filter_of(call.engine, body.where), most=AT_ONCE + 1)
    _check_number(len(rows), "$.where")
    return rows


def _check_number(number: int, path: str) -> None:
    if number > AT_ONCE:
        raise InvalidArgument(
            f"more than {AT_ONCE:,} runs are chosen; choose them in parts, by since and until", path=path
        )
