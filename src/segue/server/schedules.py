"""Schedules and backfills: looked at, made, changed, paused, triggered. Times are µs, lengths of time too or ``1h``."""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from typing import Any, Literal

import msgspec

from segue.authoring.python.scheduling import Schedule
from segue.engine import Engine
from segue.errors import InvalidArgument, ScheduleNotFound
from segue.kernel.schedule import Order, Overlap, Policy, Reprocess
from segue.recurrence.rules import Rule, walk
from segue.recurrence.walls import instant, moment
from segue.runtime.plans import Plan, encode, plan_of
from segue.schedules.info import BackfillInfo, ScheduleInfo
from segue.schedules.scheduling import MOST
from segue.server.acting import ReasonBody, typed
from segue.server.call import Call, Limit, Number
from segue.server.etags import etag, refuse_unless_seen
from segue.server.repairs import Bare
from segue.server.runs import LARGEST, find_run
from segue.server.runs import MOST as MOST_SHOWN
from segue.server.views import RunView, ValueView, run_view, value_view
from segue.stores.schedule_rows import LAST, SchedulePage, ScheduleRow

SOON = 500
"""Due times that are told at once."""
_CURSOR = re.compile(r"[0-9]{1,19} .+", re.DOTALL)

Length = str | Number
Given = msgspec.UnsetType


class BackfillView(msgspec.Struct, frozen=True, kw_only=True):
    """How far a backfill is; see ``total``: due times in its period, of which so many were started and skipped."""

    id: str
    start: int
    end: int
    parallel: int
    order: str
    reprocess: str
    total: int
    started: int
    skipped: int
    completed: int
    failed: int
    open: list[str]
    done: bool


class ScheduleView(msgspec.Struct, frozen=True, kw_only=True):
    """What a schedule does, and where it stands.

    Attributes:
        rule: when; ``when`` says it in words. input: arguments of every run.
        declared: whether it stands in code. changed: fields in which a person has made it other than the code says.
        paused: why, if it is. next: due times to come, ``starts`` when their runs start.
        etag: names what can be changed of it, as it is: for ``If-Match``.
        open: runs that count as overlapping. waiting: due times whose turn has not come. waits_for: runs that have to
            end before. missed: first and last of those that were missed last.
    """

    name: str
    workflow: str
    app: str
    rule: Rule
    when: str
    policy: Policy
    input: ValueView
    tags: dict[str, str]
    note: str
    declared: bool
    changed: list[str]
    paused: str | None
    next: list[int]
    starts: list[int]
    last: int | None
    open: list[str]
    waiting: list[int]
    waits_for: list[str]
    started: int
    skipped: int
    missed: tuple[int, int] | None
    backfills: list[BackfillView]
    etag: str


class ScheduleQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which schedules: those in whose name or workflow a text is found; and which page: at most ``limit`` behind the
    cursor ``after``, 500 in any case. ``order``: by ``name``, or by what is ``due`` first, what never is at the end."""

    order: Literal["name", "due"] = "name"
    find: str = ""
    after: str | None = None
    limit: Limit = 50


class ScheduleList(msgspec.Struct, frozen=True):
    """Schedules in their order. ``next``: the cursor of the page behind it, None at the end."""

    schedules: list[ScheduleView]
    next: str | None
    now: int


class ScheduleBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A schedule to make; fields as in ``segue.Schedule``. ``paused``: why it is paused from the start."""

    name: str
    workflow: str
    when: Rule
    input: list[Any] = []
    overlap: Overlap = "skip"
    jitter: Length = 0
    catchup: Length = "1d"
    depends_on_past: bool = False
    after: list[str] = []
    start: Number | None = None
    end: Number | None = None
    tags: dict[str, str] = {}
    note: str = ""
    paused: str | None = None


class ScheduleChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be otherwise; what is left out stays as it is."""

    when: Rule | Given = msgspec.UNSET
    input: list[Any] | Given = msgspec.UNSET
    overlap: Overlap | Given = msgspec.UNSET
    jitter: Length | Given = msgspec.UNSET
    catchup: Length | Given = msgspec.UNSET
    depends_on_past: bool | Given = msgspec.UNSET
    after: list[str] | Given = msgspec.UNSET
    start: Number | Given | None = msgspec.UNSET
    end: Number | Given | None = msgspec.UNSET
    tags: dict[str, str] | Given = msgspec.UNSET
    note: str | Given = msgspec.UNSET


class TriggerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``due``: the due time of the run; by default now."""

    due: Number | None = None


class RuleBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule that there might be, and how many of its due times are wanted."""

    when: Rule
    limit: Limit = 10


class DueQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many due times are wanted, 500 in any case; from ``since`` on, by default from now."""

    limit: Limit = 10
    since: Number | None = None


class PeriodBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From ``start`` on and before ``end``."""

    start: Number
    end: Number


class BackfillBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A period of the past to fill in: ``parallel`` runs at a time; more than ``most`` due times are refused."""

    start: Number
    end: Number
    id: str | None = None
    parallel: Number = 1
    order: Order = "oldest"
    reprocess: Reprocess = "missing"
    most: Number = MOST


class BackfillCount(msgspec.Struct, frozen=True):
    """How many due times a backfill would have (exact or estimated), the first and the last."""

    total: int
    exact: bool
    first: int | None
    last: int | None


async def list_schedules(call: Call[ScheduleQuery, None]) -> ScheduleList:
    engine, query = call.engine, call.query
    limit = min(query.limit, MOST_SHOWN)
    page = await engine.schedules.page(_page(query, limit + 1))
    last = page[limit - 1][0] if len(page) > limit else None
    if last is None:
        next = None
    elif query.order == "name":
        next = last.name
    else:
        next = f"{LAST if last.wake is None else last.wake} {last.name}"
    return ScheduleList([_shown(engine, row, found) for row, found in page[:limit]], next, engine.clock.now())


def _page(query: ScheduleQuery, limit: int) -> SchedulePage:
    """The store's words for the same page.

    Raises:
        InvalidArgument: no page has ended with that cursor.
    """
    after = query.after or ""
    if query.order == "name" or not after:
        return SchedulePage(limit, after, query.find, query.order == "due")
    turn, _, name = after.partition(" ")
    if not _CURSOR.fullmatch(after) or int(turn) >= LARGEST:
        raise InvalidArgument(
            f"no page of schedules has ended at {after!r}; pass the next of its answer", path="$.after"
        )
    return SchedulePage(limit, name, query.find, True, int(turn))


async def show_schedule(call: Call[Any, None]) -> ScheduleView:
    return _tagged(call, await call.engine.schedules.show(call.path["name"]))


async def create_schedule(call: Call[Any, ScheduleBody]) -> ScheduleView:
    body = call.body
    schedule = Schedule(
        body.when, typed(call.engine, body.workflow, body.input), overlap=body.overlap, jitter=_length(body.jitter),
        catchup=_length(body.catchup), depends_on_past=body.depends_on_past, after=tuple(body.after),
        start=_time(body.start), end=_time(body.end), tags=body.tags, note=body.note,
    )  # fmt: skip
    made = await call.engine.schedules.create(body.name, body.workflow, schedule, paused=body.paused)
    return _tagged(call, made)


async def change_schedule(call: Call[Any, ScheduleChange]) -> ScheduleView:
    name, schedules = call.path["name"], call.engine.schedules
    given = {
        field: _read(field, getattr(call.body, field))
        for field in call.body.__struct_fields__
        if getattr(call.body, field) is not msgspec.UNSET
    }
    if "input" in given:
        given["args"] = typed(call.engine, schedules.plan(name).workflow, given.pop("input"))
    return _tagged(call, await schedules.update(name, check=partial(_check_seen, call, name), **given))


async def pause_schedule(call: Call[Any, ReasonBody]) -> None:
    reason, by = call.body.reason, f"paused by {call.who.name}" if call.who.name else ""
    await call.engine.schedules.pause(call.path["name"], f"{reason} ({by})" if reason and by else reason or by)


async def resume_schedule(call: Call[Any, Bare]) -> None:
    await call.engine.schedules.resume(call.path["name"])


async def trigger_schedule(call: Call[Any, TriggerBody]) -> RunView:
    due = _time(call.body.due)
    handle = await call.engine.schedules.trigger(call.path["name"], due=due, by=call.who.name)
    return run_view(find_run(call.engine, handle.run))


async def delete_schedule(call: Call[Any, None]) -> None:
    name = call.path["name"]
    await call.engine.schedules.delete(name, check=partial(_check_seen, call, name))


async def list_due_times(call: Call[DueQuery, None]) -> list[int]:
    since, instants = call.query.since, call.engine.schedules.plan(call.path["name"]).instants
    after = call.engine.clock.now() if since is None else since - 1
    return [at for at, _ in zip(walk(instants, after), range(min(call.query.limit, SOON)), strict=False)]


async def preview_rule(call: Call[Any, RuleBody]) -> list[int]:
    return [instant(at) for at in call.engine.schedules.preview(call.body.when, min(call.body.limit, SOON))]


async def create_backfill(call: Call[Any, BackfillBody]) -> BackfillView:
    body, name = call.body, call.path["name"]
    id = await call.engine.schedules.backfill(
        name, moment(body.start), moment(body.end), id=body.id, parallel=body.parallel, order=body.order,
        reprocess=body.reprocess, most=body.most,
    )  # fmt: skip
    return await _backfill(call.engine, name, id)


async def preview_backfill(call: Call[Any, PeriodBody]) -> BackfillCount:
    start, end = moment(call.body.start), moment(call.body.end)
    found = await call.engine.schedules.preview_backfill(call.path["name"], start, end)
    return BackfillCount(found.total, found.exact, _instant(found.first), _instant(found.last))


async def show_backfill(call: Call[Any, None]) -> BackfillView:
    return await _backfill(call.engine, call.path["name"], call.path["backfill"])


async def cancel_backfill(call: Call[Any, Bare]) -> None:
    await call.engine.schedules.cancel_backfill(call.path["name"], call.path["backfill"])


async def _backfill(engine: Engine, name: str, id: str) -> BackfillView:
    found = (await engine.schedules.show(name)).backfills
    for backfill in found:
        if backfill.id == id:
            return _backfill_view(backfill)
    raise ScheduleNotFound(name, engine.namespace, [each.id for each in found], backfill=id)


def _check_seen(call: Call[Any, Any], name: str, plan: Plan) -> None:
    refuse_unless_seen(call.asked.headers, _etag(name, plan), f"schedule {name!r}")


def _etag(name: str, plan: Plan) -> str:
    return etag(name, encode(plan))


def _tagged(call: Call[Any, Any], info: ScheduleInfo) -> ScheduleView:
    view = _view(call.engine, info)
    call.etag = view.etag
    return view


def _view(engine: Engine, info: ScheduleInfo) -> ScheduleView:
    return _of_plan(engine, engine.schedules.plan(info.name), info)


def _shown(engine: Engine, row: ScheduleRow, info: ScheduleInfo) -> ScheduleView:
    return _of_plan(engine, plan_of(row), info)


def _of_plan(engine: Engine, plan: Plan, info: ScheduleInfo) -> ScheduleView:
    return ScheduleView(
        name=info.name, workflow=info.workflow, app=info.app, rule=plan.rule, when=info.when, policy=info.policy,
        input=value_view(engine.journal.payload(bytes(plan.input))), tags=info.tags, note=info.note,
        declared=info.declared, changed=list(info.changed), paused=info.paused, next=[*map(instant, info.next)],
        starts=[*map(instant, info.starts)], last=_instant(info.last), open=list(info.open),
        waiting=[*map(instant, info.waiting)], waits_for=list(info.waits_for), started=info.started,
        skipped=info.skipped,
        missed=None if info.missed is None else (instant(info.missed[0]), instant(info.missed[1])),
        backfills=[*map(_backfill_view, info.backfills)], etag=_etag(info.name, plan),
    )  # fmt: skip


def _backfill_view(info: BackfillInfo) -> BackfillView:
    return BackfillView(
        id=info.id, start=instant(info.start), end=instant(info.end), parallel=info.parallel, order=info.order,
        reprocess=info.reprocess, total=info.total, started=info.started, skipped=info.skipped,
        completed=info.completed, failed=info.failed, open=list(info.open), done=info.done,
    )  # fmt: skip


def _read(field: str, value: Any) -> Any:
    """A changed field as ``Schedule`` has it."""
    match field:
        case "jitter" | "catchup":
            return _length(value)
        case "start" | "end":
            return _time(value)
        case "after":
            return tuple(value)
        case _:
            return value


def _length(value: Length) -> str | float:
    """In seconds, as programs write them, or in words."""
    return value if isinstance(value, str) else value / 1_000_000


def _time(value: int | None) -> datetime | None:
    return None if value is None else moment(value)


def _instant(value: datetime | None) -> int | None:
    return None if value is None else instant(value)
