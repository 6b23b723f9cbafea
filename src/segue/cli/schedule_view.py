"""How schedules, backfills and due times are printed, for people and for machines."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import msgspec
from rich.table import Table
from rich.text import Text

from segue.cli.output import ROOMY, badge, console, print_json
from segue.cli.paging import print_more
from segue.cli.payloads import one_line
from segue.cli.words import ago, count, length
from segue.recurrence.rules import Calendar, Cron, Instants, Rule, walk
from segue.recurrence.walls import instant, moment, zone_named
from segue.schedules.info import BackfillInfo, BackfillPreview, ScheduleInfo
from segue.server import overview, runs, schedules
from segue.server.answers import Answers
from segue.server.views import ValueView

MOST_IDS = 3
"""Runs that are told by their ids."""


def plain(found: ScheduleInfo | BackfillInfo | BackfillPreview) -> dict[str, Any]:
    """The same for machines; lengths of time in µs."""
    builtins: dict[str, Any] = msgspec.to_builtins(found)
    return builtins


async def app_of(answers: Answers) -> overview.AppView:
    """Whose schedules these are, and the time there."""
    return await answers.ask(overview.show_app, query=overview.AppQuery())


def info_of(told: schedules.ScheduleView, namespace: str) -> ScheduleInfo:
    """The schedule as it is printed, of what the API tells."""
    return ScheduleInfo(
        told.name, namespace, told.app, told.workflow, told.when, told.policy, told.tags, told.note, told.declared,
        tuple(told.changed), told.paused, tuple(map(moment, told.next)), tuple(map(moment, told.starts)),
        _moment(told.last), tuple(told.open), tuple(map(moment, told.waiting)), tuple(told.waits_for), told.started,
        told.skipped, None if told.missed is None else (moment(told.missed[0]), moment(told.missed[1])),
        tuple(map(backfill_of, told.backfills)),
    )  # fmt: skip


def backfill_of(told: schedules.BackfillView) -> BackfillInfo:
    """The same of a backfill."""
    return BackfillInfo(
        told.id, moment(told.start), moment(told.end), told.parallel, told.order, told.reprocess, told.total,
        told.started, told.skipped, told.completed, told.failed, tuple(told.open), told.done,
    )  # fmt: skip


def preview_of(told: schedules.BackfillCount) -> BackfillPreview:
    """The same of what a backfill would do."""
    return BackfillPreview(told.total, told.exact, _moment(told.first), _moment(told.last))


def _moment(at: int | None) -> datetime | None:
    return None if at is None else moment(at)


async def standing_still(answers: Answers, found: ScheduleInfo) -> list[str]:
    """Those of the open runs of a schedule and its backfills that stand still on an incident: they hold up others."""
    open_ones = {*found.open, *(id for backfill in found.backfills for id in backfill.open)}
    if not open_ones:
        return []
    where = runs.RunQuery(state=["incident"], id=f"{found.name}@", limit=runs.MOST)
    stuck: list[str] = []
    while True:
        page = await answers.ask(runs.list_runs, query=where)
        stuck += [run.id for run in page.runs if run.id in open_ones]
        if page.next is None:
            return stuck[::-1]
        where = msgspec.structs.replace(where, after=page.next)


def print_list(
    found: list[ScheduleInfo], still: dict[str, list[str]], app: overview.AppView, find: str = "", *, more: bool = False
) -> None:
    """One line for each schedule."""
    out = console()
    if not found and find:
        out.print(f"no schedule has {find!r} in its name or workflow")
        return
    if not found:
        out.print(f"no schedules in namespace {app.namespace!r}; `segue schedule create` makes one")
        return
    roomy = out.width >= ROOMY
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False, expand=out.is_terminal)
    for title in ("name", "workflow", "when", "state", "next") if roomy else ("name", "state", "next"):
        table.add_column(title, no_wrap=True, overflow="ellipsis")
    for one in found:
        state = badge(_state(one, still[one.name]))
        cells = (one.name, one.workflow, one.when, state, _next(one, app.now))
        table.add_row(*(cells if roomy else (one.name, state, _next(one, app.now))))
    out.print(table)
    if more:
        print_more(len(found))
    _hint_if_nobody_works(app)


def plain_arguments(input: ValueView) -> Any:
    """What every run is given, by name where the names are known, by position under ``*``; None of what is too large to
    be shown."""
    return None if input.value is msgspec.UNSET else msgspec.to_builtins(input.value)


def arguments(input: ValueView) -> str:
    """The same for people."""
    if input.cut:
        return f"{input.bytes:,} bytes"
    given = plain_arguments(input) or {}
    by_position, named = given.get("*", ()), {name: value for name, value in given.items() if name != "*"}
    return " ".join([*map(one_line, by_position), *(f"{name}={one_line(value)}" for name, value in named.items())])


def print_schedule(found: ScheduleInfo, given: str, still: list[str], app: overview.AppView) -> None:
    """Everything about one schedule; ``given``: the arguments of its runs."""
    out = console()
    now = app.now
    head = badge(_state(found, still))
    out.print(head.append(f"  {found.name} ", style="default bold").append(found.workflow, style="dim"))
    for title, text in [("arguments", given), *_lines(found, still, now)]:
        if text:
            out.print(Text(f"  {title:<11}", style="dim").append(text, style="not dim"), soft_wrap=True)
    for one in found.backfills:
        out.print(Text("  backfill   ", style="dim").append(_progress(one), style="not dim"), soft_wrap=True)
    _hint_if_nobody_works(app)


def _lines(found: ScheduleInfo, still: list[str], now: int) -> list[tuple[str, str]]:
    policy = found.policy
    how = [policy.overlap, f"catches up {length(policy.catchup)}"]
    how += [f"jitter {length(policy.jitter)}"] if policy.jitter else []
    how += ["depends on the run before"] if policy.depends_on_past else []
    how += [f"after {', '.join(policy.after)}"] if policy.after else []
    return [
        ("when", found.when),
        ("how", ", ".join(how)),
        ("deadlines", ", ".join(f"{x.event} within {length(x.within)}, else {x.target.name}" for x in policy.limits)),
        ("note", found.note),
        ("declared", "in code" + (f", but changed: {', '.join(found.changed)}" if found.changed else ""))
        if found.declared
        else ("", ""),
        ("paused", found.paused or ""),
        ("next", ", ".join(_shown(at) for at in found.next[:3]) if found.paused is None else ""),
        ("last", "" if found.last is None else f"{_shown(found.last)} ({ago(instant(found.last), now)})"),
        ("open", ", ".join(found.open)),
        ("incident", f"{_some(still)}; `segue show RUN` says why it stands still" if still else ""),
        (
            "waiting",
            f"{count(len(found.waiting), 'due time')}, for {', '.join(found.waits_for)}" if found.waiting else "",
        ),
        ("so far", f"{count(found.started, 'run')} started, {found.skipped:,} skipped"),
        ("missed", "" if found.missed is None else f"{_shown(found.missed[0])} to {_shown(found.missed[1])}"),
    ]


def _some(ids: list[str]) -> str:
    return ", ".join(ids[:MOST_IDS]) + (f" and {len(ids) - MOST_IDS:,} more" if len(ids) > MOST_IDS else "")


def _progress(one: BackfillInfo) -> str:
    dealt = one.started + one.skipped - len(one.open)
    word = "done" if one.done else f"{100 * dealt // max(1, one.total)} %"
    return (
        f"{one.id}  {word}, {dealt:,} of {count(one.total, 'due time')}: {one.completed:,} completed, "
        f"{one.failed:,} failed, {one.skipped:,} needed no run, {len(one.open):,} open  "
        f"({one.start:%Y-%m-%d %H:%M} to {one.end:%Y-%m-%d %H:%M} UTC)"
    )


def print_preview(found: BackfillPreview, name: str) -> None:
    """What a backfill would do."""
    about = "" if found.exact else "about "
    period = f", from {_shown(found.first)} to {_shown(found.last)}" if found.first and found.last else ""
    told = f"the backfill of {name} would have {about}{count(found.total, 'due time')}{period}; nothing was started"
    console().print(told, soft_wrap=True)


def next_of(found: ScheduleInfo, now: int) -> str:
    """When it is due next."""
    return _next(found, now)


def times(instants: Instants, n: int, since: int | None) -> list[datetime]:
    """The next instants, from now on or from ``since``."""
    after = time.time_ns() // 1000 if since is None else since - 1
    return [moment(at) for at, _ in zip(walk(instants, after), range(n), strict=False)]


def print_times(found: list[datetime], rule: Rule, *, as_json: bool) -> None:
    """Due times, in the rule's zone and in UTC."""
    if as_json:
        print_json([at.isoformat().replace("+00:00", "Z") for at in found])
        return
    out = console()
    zone = rule.zone if isinstance(rule, (Cron, Calendar)) else "UTC"
    for at in found:
        if zone == "UTC":
            out.print(f"{at:%a %Y-%m-%d %H:%M:%S} UTC")
        else:
            there = at.astimezone(zone_named(zone))
            out.print(f"{there:%a %Y-%m-%d %H:%M:%S} {there:%Z}  {at:%Y-%m-%dT%H:%M:%SZ}")
    if not found:
        out.print("no more due times")


def _state(one: ScheduleInfo, still: list[str]) -> str:
    if one.paused is not None:
        return "paused"
    if still:
        return "incident"
    if one.open:
        return "running"
    return "waiting" if one.next or one.waiting else "completed"


def _next(one: ScheduleInfo, now: int) -> str:
    if one.paused is not None:
        return one.paused
    if one.waits_for:
        return f"waits for {one.waits_for[0]}"
    return f"{_shown(one.next[0])} ({ago(instant(one.next[0]), now)})" if one.next else "never again"


def _shown(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S %Z}"


def _hint_if_nobody_works(app: overview.AppView) -> None:
    if app.owner is None:
        text = f"no worker of app {app.app!r} is alive: runs start when there is one (segue dev or worker)"
        console().print(Text(text, style="dim"))
