"""``segue schedule``: makes schedules, shows when they are due, pauses and triggers them, fills in the past."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import App, Parameter

from segue.authoring.python.scheduling import Schedule
from segue.cli import schedule_view as view
from segue.cli import target as targets
from segue.cli import values
from segue.cli.lookup import client
from segue.cli.output import console, print_json
from segue.cli.scope import Scope
from segue.cli.words import count
from segue.engine import Engine
from segue.errors import InvalidArgument
from segue.kernel.schedule import Order, Overlap, Reprocess
from segue.recurrence.rules import Calendar, Cron, Every, Rule, instants, point
from segue.scheduling import MOST

schedule = App(name="schedule", help="Schedules: what is started by itself, and when.", version_flags=())

Name = Annotated[str, Parameter(help="The schedule's name.")]


@Parameter(name="*", group="When")
@dataclass(frozen=True)
class When:
    """The flags that say when; one of them makes a rule."""

    cron: Annotated[str | None, Parameter(help="A cron line: '0 2 * * *', '@daily'.")] = None
    every: Annotated[str | None, Parameter(help="An interval: 15m, 1h30m, 1d.")] = None
    calendar: Annotated[str | None, Parameter(help="A rule of RFC 5545: 'FREQ=MONTHLY;BYDAY=-1FR'.")] = None
    zone: Annotated[str, Parameter(help="The time zone of a cron line or calendar.")] = "UTC"
    offset: Annotated[str, Parameter(help="By how much an interval is moved.")] = "0s"
    without: Annotated[
        tuple[str, ...], Parameter(help="A day that a calendar leaves out.", negative=(), show_default=False)
    ] = ()

    def rule(self) -> Rule | None:
        """The rule that was given, if any.

        Raises:
            InvalidArgument: several were, or it cannot be read.
        """
        given = [flag for flag in (self.cron, self.every, self.calendar) if flag is not None]
        if len(given) > 1:
            raise InvalidArgument("--cron, --every and --calendar exclude each other; give one of them")
        if self.cron is not None:
            return Cron(self.cron, self.zone)
        if self.every is not None:
            return Every(self.every, self.offset)
        if self.calendar is not None:
            return Calendar(self.calendar, self.zone, without=self.without)
        return None


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
        """What was given, as fields of ``Schedule``."""
        given = {
            "overlap": self.overlap, "jitter": self.jitter, "catchup": self.catchup, "start": self.start,
            "depends_on_past": self.depends_on_past, "after": self.after or None, "end": self.end, "note": self.note,
            "tags": values.pairs(self.tag, "--tag") or None,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value is not None}


@schedule.command
def create(
    name: Name,
    workflow: Annotated[str, Parameter(help="file.py:workflow, module:workflow, or the name of one a worker has.")],
    /,
    *args: Annotated[str, Parameter(help="The arguments of every run: JSON, bare words, or @file.json.")],
    when: When = When(),
    how: How = How(),
    paused: Annotated[str | None, Parameter(help="Why it is paused from the start.")] = None,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Make a schedule."""
    rule = when.rule()
    if rule is None:
        raise InvalidArgument("when is it due? Give --cron '0 2 * * *', --every 15m or --calendar 'FREQ=…'")
    with redirect_stdout(sys.stderr) if scope.json else nullcontext():
        found = targets.find(workflow) if targets.is_code(workflow) else None

    async def act(engine: Engine) -> None:
        if found is None:
            arguments = [values.untyped(text) for text in args]
        else:
            arguments = values.arguments(found, args, engine.encodings)
        whole = Schedule(rule, tuple(arguments), **how.fields())
        made = await engine.schedules.create(name, found or workflow, whole, paused=paused)
        _say(scope, view.plain(made), lambda: view.print_schedule(made, engine))

    return _with(scope, act, new=found is not None)


@schedule.command
def update(
    name: Name,
    /,
    *args: Annotated[str, Parameter(help="New arguments for every run.")],
    when: When = When(),
    how: How = How(),
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Change what is given, and leave the rest of a schedule as it is."""
    rule = when.rule()
    changes = how.fields() | ({} if rule is None else {"when": rule})
    if args:
        changes["args"] = tuple(values.untyped(text) for text in args)
    if not changes:
        raise InvalidArgument(f"nothing to change was given; `segue schedule show {name}` says how it is")

    async def act(engine: Engine) -> None:
        changed = await engine.schedules.update(name, **changes)
        _say(scope, view.plain(changed), lambda: view.print_schedule(changed, engine))

    return _with(scope, act)


@schedule.command(name="list")
def list_schedules(*, scope: Scope = Scope()) -> int:  # noqa: B008 (immutable)
    """List schedules: when each is due next, and what it waits for."""

    async def act(engine: Engine) -> None:
        found = await engine.schedules.list()
        _say(scope, [view.plain(one) for one in found], lambda: view.print_list(found, engine))

    return _with(scope, act)


@schedule.command
def show(name: Name, /, *, scope: Scope = Scope()) -> int:  # noqa: B008 (immutable)
    """Show one schedule: what it does, where it stands, and how far its backfills are."""

    async def act(engine: Engine) -> None:
        found = await engine.schedules.show(name)
        _say(scope, view.plain(found), lambda: view.print_schedule(found, engine))

    return _with(scope, act)


@schedule.command
def pause(
    name: Name,
    reason: Annotated[str, Parameter(help="Why, for whoever looks at it.")] = "",
    /,
    *,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Start no more runs until it is resumed. What is due meanwhile is not caught up with."""

    async def act(engine: Engine) -> None:
        await engine.schedules.pause(name, reason)
        _say(scope, {"name": name, "paused": reason or "by hand"}, lambda: console().print(f"{name} is paused"))

    return _with(scope, act)


@schedule.command
def resume(name: Name, /, *, scope: Scope = Scope()) -> int:  # noqa: B008 (immutable)
    """Go on with the next due time from now."""

    async def act(engine: Engine) -> None:
        await engine.schedules.resume(name)
        found = await engine.schedules.show(name)
        _say(scope, view.plain(found), lambda: console().print(f"{name} goes on: {view.next_of(found, engine)}"))

    return _with(scope, act)


@schedule.command
def trigger(
    name: Name,
    /,
    *,
    due: Annotated[str | None, Parameter(help="The run's due time; by default now.")] = None,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Start a run now, paused or not, whatever is open."""

    async def act(engine: Engine) -> None:
        handle = await engine.schedules.trigger(name, due=due)
        _say(scope, {"name": name, "id": handle.id}, lambda: console().print(f"started {handle.id}", soft_wrap=True))

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
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Start the runs that were due in a period of the past. `segue schedule show` says how far it is."""
    if (cancel is None) == (start is None or end is None):
        raise InvalidArgument("give a start and an end, or --cancel with a backfill's name")

    async def act(engine: Engine) -> None:
        if cancel is not None:
            await engine.schedules.cancel_backfill(name, cancel)
            _say(scope, {"name": name, "cancelled": cancel}, lambda: console().print(f"{name}/{cancel} starts no more"))
            return
        assert start is not None
        assert end is not None
        if dry_run:
            preview = await engine.schedules.preview_backfill(name, start, end)
            _say(scope, view.plain(preview), lambda: view.print_preview(preview, name))
            return
        made = await engine.schedules.backfill(
            name, start, end, id=id, parallel=parallel, order=order, reprocess=reprocess, most=most
        )
        look = scope.command("schedule", "show", name)
        found = next(one for one in (await engine.schedules.show(name)).backfills if one.id == made)
        _say(
            scope, view.plain(found),
            lambda: console().print(f"{made}: {count(found.total, 'due time')}; {look}", soft_wrap=True),
        )  # fmt: skip

    return _with(scope, act)


@schedule.command
def delete(name: Name, /, *, scope: Scope = Scope()) -> int:  # noqa: B008 (immutable)
    """Take a schedule and its backfills away. Its runs stay."""

    async def act(engine: Engine) -> None:
        await engine.schedules.delete(name)
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
    scope: Scope = Scope(),  # noqa: B008 (immutable)
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

    async def act(engine: Engine) -> None:
        found = engine.schedules.plan(name)
        view.print_times(view.times(found.instants, n, first), found.rule, as_json=scope.json)

    return _with(scope, act)


def _with(scope: Scope, act: Callable[[Engine], Awaitable[None]], *, new: bool = False) -> int:
    """Acts as a client; ``new``: on a database that may not be there yet."""

    async def acted() -> None:
        if new:
            async with Engine(scope.url, app=scope.app, namespace=scope.namespace, own=False) as engine:
                await act(engine)
            return
        async with client(scope) as engine:
            await act(engine)

    asyncio.run(acted())
    return 0


def _say(scope: Scope, plain: Any, tell: Callable[[], None]) -> None:
    if scope.json:
        print_json(plain)
    else:
        tell()
