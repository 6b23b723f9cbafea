"""``segue schedule``: makes schedules, shows when they are due, pauses and triggers them, fills in the past."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from segue.cli import schedule_view as view
from segue.cli import target as targets
from segue.cli import values
from segue.cli.lookup import reached
from segue.cli.output import console, print_json
from segue.cli.paging import at_least_one, paged
from segue.cli.scope import Reach
from segue.cli.start import check_name
from segue.cli.words import count
from segue.errors import InvalidArgument, UnknownWorkflow
from segue.kernel.schedule import Order, Overlap, Reprocess
from segue.recurrence.rules import Calendar, Cron, Every, Rule, instants, point
from segue.recurrence.walls import moment
from segue.schedules.scheduling import MOST
from segue.server import acting, repairs, schedules
from segue.server.answers import Answers

schedule = App(name="schedule", help="Schedules: what is started by itself, and when.", version_flags=())

Name = Annotated[str, Parameter(help="The schedule's name.")]


@Parameter(name="*", group="When")
@dataclass(frozen=True)
class When:
    """The flags that say when; one of them makes a rule."""

    cron: Annotated[str | None, Parameter(help="A cron line: '0 2 * * *', '@daily'.")] = None
    every: Annotated[str | None, Parameter(help="An interval: 15m, 1h30m, 1d.")] = None
    calendar: Annotated[str | None, Parameter(help="A rule of RFC 5545: 'FREQ=MONTHLY;BYDAY=-1FR'.")] = None
    zone: Annotated[str | None, Parameter(help="The time zone of a cron line or calendar; by default UTC.")] = None
    offset: Annotated[str | None, Parameter(help="By how much an interval is moved.")] = None
    without: Annotated[
        tuple[str, ...], Parameter(help="A day that a calendar leaves out.", negative=(), show_default=False)
    ] = ()

    def rule(self) -> Rule | None:
        """The rule that was given, if any.

        Raises:
            InvalidArgument: several were, with a flag of another one beside it, or it cannot be read.
        """
        given = [flag for flag in (self.cron, self.every, self.calendar) if flag is not None]
        if len(given) > 1:
            raise InvalidArgument("--cron, --every and --calendar exclude each other; give one of them")
        self._check_beside()
        zone = "UTC" if self.zone is None else self.zone
        if self.cron is not None:
            return Cron(self.cron, zone)
        if self.every is not None:
            return Every(self.every, self.offset or "0s")
        if self.calendar is not None:
            return Calendar(self.calendar, zone, without=self.without)
        return None

    def _check_beside(self) -> None:
        """Refuses what would be passed over in silence, and make another schedule than is meant."""
        if self.zone is not None and self.cron is None and self.calendar is None:
            raise InvalidArgument("--zone is of a --cron line or a --calendar, which say a time of day")
        if self.offset is not None and self.every is None:
            raise InvalidArgument("--offset moves an interval, and goes with --every")
        if self.without and self.calendar is None:
            raise InvalidArgument("--without leaves a day out of a --calendar")


@Parameter(name="*", group="How")
@dataclass(frozen=True)
class How:
    """The flags that say how runs are treated."""

    overlap: Annotated[Overlap | None, Parameter(help="What happens while a run is open; by default skip.")] = None
    jitter: Annotated[str | None, Parameter(help="Runs start up to that much later.")] = None
    catchup: Annotated[str | None, Parameter(help="How late a run may still start; by default 1d.")] = None
    depends_on_past: Annotated[
        bool | None, Parameter(help="A run waits until the one before it has completed.", show_default=False)
    ] = None
    after: Annotated[
        tuple[str, ...],
        Parameter(
            help="A schedule whose run of the same due time must have completed.", negative=(), show_default=False
        ),
    ] = ()
    start: Annotated[str | None, Parameter(help="No runs are due before. In the past: it is caught up with.")] = None
    end: Annotated[str | None, Parameter(help="No runs are due from then on.")] = None
    tag: Annotated[
        tuple[str, ...], Parameter(help="A label of every run, name=value.", negative=(), show_default=False)
    ] = ()
    note: Annotated[str | None, Parameter(help="A note for people.")] = None

    def fields(self) -> dict[str, Any]:
        """What was given, as fields of what makes or changes a schedule."""
        given = {
            "overlap": self.overlap, "jitter": self.jitter, "catchup": self.catchup,
            "start": None if self.start is None else point(self.start, "start"),
            "depends_on_past": self.depends_on_past, "after": list(self.after) or None,
            "end": None if self.end is None else point(self.end, "end"), "note": self.note,
            "tags": values.pairs(self.tag, "--tag") or None,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value is not None}


Clearable = Literal["arguments", "after", "start", "end", "tags", "jitter", "note"]
_CLEARED: dict[Clearable, tuple[str, Any]] = {
    "arguments": ("input", []),
    "after": ("after", []),
    "start": ("start", None),
    "end": ("end", None),
    "tags": ("tags", {}),
    "jitter": ("jitter", "0s"),
    "note": ("note", ""),
}
"""Which field of a change says of a schedule that it has none of that, and how."""


@schedule.command
def create(
    name: Name,
    workflow: Annotated[str, Parameter(help="file.py:workflow, module:workflow, or the name of one a worker has.")],
    /,
    *args: Annotated[str, Parameter(help="The arguments of every run: JSON, bare words, or @file.json.")],
    when: When = When(),
    how: How = How(),
    paused: Annotated[str | None, Parameter(help="Why it is paused from the start.")] = None,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Make a schedule."""
    rule = when.rule()
    if rule is None:
        raise InvalidArgument("when is it due? Give --cron '0 2 * * *', --every 15m or --calendar 'FREQ=…'")
    found = targets.find_if_code(workflow)
    input = [values.untyped(text) for text in args] if found is None else values.plain_arguments(found, args)
    named = workflow if found is None else found.name
    body = schedules.ScheduleBody(name=name, workflow=named, when=rule, input=input, paused=paused, **how.fields())

    async def act(answers: Answers) -> None:
        if found is None:
            await check_name(answers, workflow)
        made = await answers.ask(schedules.create_schedule, body=body)
        await _show(scope, answers, made)

    return _with(scope, act, new=found is not None)


@schedule.command
def update(
    name: Name,
    /,
    *args: Annotated[str, Parameter(help="New arguments for every run.")],
    when: When = When(),
    how: How = How(),
    clear: Annotated[
        tuple[Clearable, ...], Parameter(help="Have it without that again.", negative=(), show_default=False)
    ] = (),
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Change what is given, and leave the rest of a schedule as it is."""
    rule = when.rule()
    changes = how.fields() | ({} if rule is None else {"when": rule})
    if args:
        changes["input"] = [values.untyped(text) for text in args]
    for what in clear:
        field, value = _CLEARED[what]
        if field in changes and changes[field] != value:
            raise InvalidArgument(f"--clear {what} takes back what is given beside it; leave one of them out")
        changes[field] = value
    if not changes:
        raise InvalidArgument(f"nothing to change was given; `segue schedule show {name}` says how it is")

    async def act(answers: Answers) -> None:
        body = schedules.ScheduleChange(**changes)
        try:
            changed = await answers.ask(schedules.change_schedule, name=name, body=body)
        except UnknownWorkflow as error:
            raise InvalidArgument(
                f"arguments are held against the workflow's code, and no worker is alive that has {error.name!r}: "
                "start one (`segue worker FILE`), and update the schedule then; nothing was changed"
            ) from error
        await _show(scope, answers, changed)

    return _with(scope, act)


@schedule.command(name="list")
def list_schedules(
    *,
    find: Annotated[str, Parameter(help="Only those with this text in their name or workflow.")] = "",
    limit: Annotated[int, Parameter(help="How many at most.")] = 100,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """List schedules by name: when each is due next, and what it waits for."""
    shown = at_least_one(limit)

    async def act(answers: Answers) -> None:
        app = await view.app_of(answers)

        async def page(after: str | None, most: int) -> tuple[list[schedules.ScheduleView], str | None]:
            query = schedules.ScheduleQuery(find=find, after=after, limit=most)
            got = await answers.ask(schedules.list_schedules, query=query)
            return got.schedules, got.next

        listed, more = await paged(page, shown)
        found = [view.info_of(one, app.namespace) for one in listed]
        still = {one.name: await view.standing_still(answers, one) for one in found}
        plain = [view.plain(one) | {"incidents": still[one.name]} for one in found]
        _say(scope, plain, lambda: view.print_list(found, still, app, find, more=more))

    return _with(scope, act)


@schedule.command
def show(name: Name, /, *, scope: Reach = Reach()) -> int:  # noqa: B008 (immutable)
    """Show one schedule: what it does, where it stands, and how far its backfills are."""

    async def act(answers: Answers) -> None:
        await _show(scope, answers, await answers.ask(schedules.show_schedule, name=name))

    return _with(scope, act)


@schedule.command
def pause(
    name: Name,
    reason: Annotated[str, Parameter(help="Why, for whoever looks at it.")] = "",
    /,
    *,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Start no more runs until it is resumed. What is due meanwhile is not caught up with."""

    async def act(answers: Answers) -> None:
        await answers.ask(schedules.pause_schedule, name=name, body=acting.ReasonBody(reason))
        _say(scope, {"name": name, "paused": reason or "by hand"}, lambda: console().print(f"{name} is paused"))

    return _with(scope, act)


@schedule.command
def resume(name: Name, /, *, scope: Reach = Reach()) -> int:  # noqa: B008 (immutable)
    """Go on with the next due time from now."""

    async def act(answers: Answers) -> None:
        await answers.ask(schedules.resume_schedule, name=name, body=repairs.Bare())
        app = await view.app_of(answers)
        found = view.info_of(await answers.ask(schedules.show_schedule, name=name), app.namespace)
        _say(scope, view.plain(found), lambda: console().print(f"{name} goes on: {view.next_of(found, app.now)}"))

    return _with(scope, act)


@schedule.command
def trigger(
    name: Name,
    /,
    *,
    due: Annotated[str | None, Parameter(help="The run's due time; by default now.")] = None,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Start a run now, paused or not, whatever is open."""

    body = schedules.TriggerBody(None if due is None else point(due, "--due"))

    async def act(answers: Answers) -> None:
        run = await answers.ask(schedules.trigger_schedule, name=name, body=body)
        _say(scope, {"name": name, "id": run.id}, lambda: console().print(f"started {run.id}", soft_wrap=True))

    return _with(scope, act)


@schedule.command
def backfill(
    name: Name,
    start: Annotated[str | None, Parameter(help="From this time on (2026-01-01, with or without a zone; UTC).")] = None,
    end: Annotated[str | None, Parameter(help="Before this time.")] = None,
    /,
    *,
    id: Annotated[str | None, Parameter(help="Its name; by default a new one.")] = None,
    parallel: Annotated[int, Parameter(help="How many runs at a time.")] = 1,
    order: Annotated[Order, Parameter(help="Which ones first.")] = "oldest",
    reprocess: Annotated[Reprocess, Parameter(help="Which due times get a run.")] = "missing",
    most: Annotated[int, Parameter(help="More due times are refused.")] = MOST,
    dry_run: Annotated[bool, Parameter(help="Only say how many there are.", negative=(), show_default=False)] = False,
    cancel: Annotated[str | None, Parameter(help="Start no more runs of this backfill.", show_default=False)] = None,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Start the runs that were due in a period of the past. `segue schedule show` says how far it is."""
    if (cancel is None) == (start is None or end is None):
        raise InvalidArgument("give a start and an end, or --cancel with a backfill's name")

    async def act(answers: Answers) -> None:
        if cancel is not None:
            bare = repairs.Bare()
            await answers.ask(schedules.cancel_backfill, name=name, backfill=cancel, body=bare)
            _say(scope, {"name": name, "cancelled": cancel}, lambda: console().print(f"{name}/{cancel} starts no more"))
            return
        assert start is not None
        assert end is not None
        first, last = point(start, "start"), point(end, "end")
        if dry_run:
            period = schedules.PeriodBody(first, last)
            preview = view.preview_of(await answers.ask(schedules.preview_backfill, name=name, body=period))
            _say(scope, view.plain(preview), lambda: view.print_preview(preview, name))
            return
        body = schedules.BackfillBody(
            start=first, end=last, id=id, parallel=parallel, order=order, reprocess=reprocess, most=most
        )
        look = scope.command("schedule", "show", name)
        found = view.backfill_of(await answers.ask(schedules.create_backfill, name=name, body=body))
        _say(
            scope, view.plain(found),
            lambda: console().print(f"{found.id}: {count(found.total, 'due time')}; {look}", soft_wrap=True),
        )  # fmt: skip

    return _with(scope, act)


@schedule.command
def delete(name: Name, /, *, scope: Reach = Reach()) -> int:  # noqa: B008 (immutable)
    """Take a schedule and its backfills away. Its runs stay."""

    async def act(answers: Answers) -> None:
        await answers.ask(schedules.delete_schedule, name=name)
        _say(scope, {"name": name, "deleted": True}, lambda: console().print(f"{name} is deleted; its runs stay"))

    return _with(scope, act)


@schedule.command
def preview(
    name: Annotated[str | None, Parameter(help="A schedule; or none, and a rule.")] = None,
    /,
    *,
    when: When = When(),
    n: Annotated[int, Parameter(name=["-n", "--number"], help="How many due times.")] = 10,
    since: Annotated[str | None, Parameter(help="From this time on, instead of from now.")] = None,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Print the next due times of a schedule, or of a rule before there is a schedule of it."""
    rule = when.rule()
    if (name is None) == (rule is None):
        raise InvalidArgument("give the name of a schedule, or --cron, --every or --calendar")
    if n < 1:
        raise InvalidArgument(f"-n {n} shows nothing; it counts from 1")
    first = None if since is None else point(since, "--since")
    if rule is not None:
        view.print_times(view.times(instants(rule), n, first), rule, as_json=scope.json)
        return 0
    assert name is not None

    async def act(answers: Answers) -> None:
        found = await answers.ask(schedules.show_schedule, name=name)
        times = await answers.ask(schedules.list_due_times, name=name, query=schedules.DueQuery(n, first))
        view.print_times([moment(at) for at in times], found.rule, as_json=scope.json)

    return _with(scope, act)


async def _show(scope: Reach, answers: Answers, found: schedules.ScheduleView) -> None:
    app = await view.app_of(answers)
    info = view.info_of(found, app.namespace)
    still = await view.standing_still(answers, info)
    plain = view.plain(info) | {"incidents": still, "input": view.plain_arguments(found.input)}
    _say(scope, plain, lambda: view.print_schedule(info, view.arguments(found.input), still, app))


def _with(scope: Reach, act: Callable[[Answers], Awaitable[None]], *, new: bool = False) -> int:
    """Acts on a database or a server; ``new``: on a database that may not be there yet."""

    async def acted() -> None:
        async with reached(scope, new=new) as answers:
            await act(answers)

    asyncio.run(acted())
    return 0


def _say(scope: Reach, plain: Any, tell: Callable[[], None]) -> None:
    if scope.json:
        print_json(plain)
    else:
        tell()
