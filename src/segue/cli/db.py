"""``segue db``: looks after the database."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter
from rich.text import Text

from segue.cli.exits import DATABASE, OK
from segue.cli.lookup import client, row_of
from segue.cli.messages import confirm
from segue.cli.output import badge, console, output, print_error, print_json
from segue.cli.scope import Scope
from segue.cli.words import count, size
from segue.configuration.moving import ASIDE
from segue.configuration.moving import move as move_database
from segue.configuration.opening import shown
from segue.configuration.settings import is_postgres, sqlite_path
from segue.engine import restore
from segue.errors import CallerError, InvalidArgument
from segue.kernel.duration import microseconds
from segue.owner.checking import InStore
from segue.runtime.keeping import spelt_out
from segue.stores.base import CLOSED, Ended, RunRow
from segue.stores.export import export
from segue.stores.listing import of_id
from segue.stores.place_rows import Placed

db = App(name="db", help="Look after the database: stats, vacuum, retain, backup, restore, export, migrate.")

AT_ONCE = 200
"""Runs that one transaction deletes, so that nobody waits long."""


@db.command
def stats(*, scope: Scope = Scope()) -> int:  # noqa: B008 (immutable)
    """Show how much is in the database, and who owns its runs."""
    return asyncio.run(_stats(scope))


async def _stats(scope: Scope) -> int:
    async with client(scope) as engine:
        found = engine.store.stats()
        elsewhere = engine.store.places.held()
        owner = engine.store.owner(engine.app)
        told: dict[str, Any] = {
            "database": scope.shown_database,
            "bytes": found.bytes,
            "schema": found.schema,
            "runs": found.runs,
            "events": found.events,
            "payloads": found.payloads,
            "elsewhere": elsewhere,
            "inbox": found.inbox,
            "tasks": found.tasks,
            "owner": None if owner is None else {"worker": owner.worker, "serves": sorted(owner.serves)},
        }
    if scope.json:
        print_json(told)
        return 0
    out = console()
    out.print(
        Text(f"{scope.shown_database}  ", style="bold").append(
            f"{size(found.bytes)}, schema {found.schema}", "not bold"
        )
    )
    for state, number in sorted(found.runs.items(), key=lambda item: -item[1]):
        out.print(Text(f"{number:>10,}  ").append(badge(state)))
    out.print(f"{found.events:>10,}  events")
    out.print(f"{found.payloads:>10,}  payloads kept apart")
    for held in elsewhere:
        out.print(f"{held.values:>10,}  of them, {size(held.bytes)}, at {held.place}", soft_wrap=True)
    out.print(f"{found.inbox:>10,}  messages waiting")
    out.print(f"{found.tasks:>10,}  open tasks")
    if owner is None:
        out.print(Text(f"nobody owns the runs of app {scope.app_name!r} just now", style="dim"))
    else:
        names = ", ".join(sorted(owner.serves)) or "nothing"
        out.print(Text(f"{owner.worker} owns the runs of app {scope.app_name!r} and serves {names}", style="dim"))
    return 0


@db.command
def vacuum(*, scope: Scope = Scope()) -> int:  # noqa: B008 (immutable)
    """Give free space back to the file system, in small steps beside the work."""
    return asyncio.run(_vacuum(scope))


async def _vacuum(scope: Scope) -> int:
    async with client(scope) as engine:
        # By pages: the file itself follows when the log beside it (-wal) is written back.
        before = engine.store.stats().bytes
        while await asyncio.to_thread(engine.store.shrink):
            pass
        after = engine.store.stats().bytes
    if scope.json:
        print_json({"before": before, "after": after})
    else:
        console().print(f"{scope.shown_database}: {size(before)} before, {size(after)} now")
    return 0


@db.command
def retain(
    older_than: Annotated[
        str | None, Parameter(help="How long ago they must have ended: 30d, 12h; by default as the rules say.")
    ] = None,
    /,
    *,
    state: Annotated[
        tuple[str, ...], Parameter(help="Only those that ended in this state.", negative=(), show_default=False)
    ] = (),
    workflow: Annotated[str | None, Parameter(help="Only of this workflow.")] = None,
    yes: Annotated[bool, Parameter(help="Do not ask.", negative=(), show_default=False)] = False,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Delete runs that ended long ago, with all that is theirs.

    As the rules of retention say: those of each namespace, and those of the settings elsewhere. With a length of time
    they are not asked, but that namespaces with rules of their own keep to these, unless --namespace names one.
    """
    wrong = [word for word in state if word not in CLOSED]
    if wrong:
        raise InvalidArgument(f"--state {wrong[0]!r} is not how a run ends; there are: {', '.join(CLOSED)}")
    if older_than is None and (state or workflow):
        raise InvalidArgument("--state and --workflow go with a length of time: `segue db retain 30d --state failed`")
    age = None if older_than is None else microseconds(older_than)
    only = None if scope.namespace is None else scope.namespace_name
    if not yes:
        which = f"{' or '.join(state) or 'closed'} run{f' of namespace {only}' if only else ''}"
        ago = "is past its time by the rules" if older_than is None else f"ended more than {older_than} ago"
        confirm(f"Delete every {which} that {ago}?", scope)
    return asyncio.run(_retain(scope, age, Ended(states=state or CLOSED, workflow=workflow, namespace=only)))


async def _retain(scope: Scope, age: int | None, which: Ended) -> int:
    """``age`` None: as the rules say."""
    total = 0
    async with client(scope) as engine:
        said = engine.store.described.list()
        own = [row.name for row in said if row.retention and which.namespace is None]
        if age is None:
            found = spelt_out(engine.settings.retention, said)
            plan = [(keep, narrowed) for keep, each in found if (narrowed := _in(which.namespace, each)) is not None]
        else:
            plan = [(age, msgspec.structs.replace(which, not_in=tuple(own)))]
        for keep, each in plan:
            before = engine.clock.now() - keep
            while deleted := await asyncio.to_thread(engine.store.retain, before, AT_ONCE, each):
                total += deleted
    if scope.json:
        print_json({"deleted": total})
        return 0
    console().print(f"{count(total, 'run')} deleted" + ("; `segue db vacuum` gives the space back" if total else ""))
    if age is not None and own:
        console().print(
            f"{', '.join(own)}: left to rules of their own; --namespace names one all the same", style="dim"
        )
    if age is None and not plan:
        console().print("no rule says how long runs are kept: `segue db retain 90d` says it once", style="dim")
    return 0


def _in(namespace: str | None, which: Ended) -> Ended | None:
    """Those of these runs that are in a namespace, None for none of them."""
    if namespace is None or which.namespace == namespace:
        return which
    if which.namespace is not None or namespace in which.not_in:
        return None
    return msgspec.structs.replace(which, namespace=namespace)


@db.command
def backup(
    target: Annotated[str, Parameter(help="A file that does not exist yet.")],
    /,
    *,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Write a consistent copy of the database to a new file, while work goes on."""

    async def copy() -> bool:
        async with client(scope) as engine:
            await asyncio.to_thread(engine.store.backup, target)
            return engine.store.places.any()

    left_out = "step logs, and large values that are kept elsewhere, are" if asyncio.run(copy()) else "step logs are"
    if scope.json:
        print_json({"backup": target, "bytes": os.path.getsize(target)})
    else:
        console().print(f"{target}: {size(os.path.getsize(target))}; {left_out} not in it", soft_wrap=True)
    return 0


@db.command(name="restore")
def restore_backup(
    source: Annotated[str, Parameter(help="A file that `segue db backup` wrote.")],
    /,
    *,
    yes: Annotated[bool, Parameter(help="Do not ask.", negative=(), show_default=False)] = False,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Put a backup in the place of the database. Nobody may be at work on it."""
    scope.require_no_server()
    path = Path() if is_postgres(scope.database) else sqlite_path(scope.database)
    if not Path(source).exists():
        raise InvalidArgument(f"there is no backup {source}")
    if not is_postgres(scope.database) and path.exists() and not yes:
        confirm(f"Replace {path} by {source}? What it is now stays as {path}.replaced.", scope)
    restore(source, scope.url)
    if scope.json:
        print_json({"restored": str(path)})
    else:
        console().print(f"{path} is what {source} was")
    return 0


@db.command(name="export")
def export_run(
    run: Annotated[str | None, Parameter(help="The run's id, or the beginning of it; with --open the file.")] = None,
    target: Annotated[str | None, Parameter(help="A file; by default standard output.")] = None,
    /,
    *,
    open: Annotated[
        bool, Parameter(help="All open runs of the app, for `segue check`.", negative=(), show_default=False)
    ] = False,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Write all runs of an id, or all open runs, with all that is known of them as lines of JSON.

    Those of an id come oldest first: of a chain each one, and those that were there before a retry from the start.
    """
    if not open and run is None:
        raise InvalidArgument("no run is named; `segue list` shows what there is, --open takes all that are open")
    if open and target is not None:
        raise InvalidArgument(f"with --open only a file is named, not a run: `segue db export --open {target}`")
    return asyncio.run(_export(scope, None if open else run, run if open else target))


async def _export(scope: Scope, id: str | None, target: str | None) -> int:
    """``id`` None: all open runs."""
    missing: list[dict[str, str]] = []
    async with client(scope) as engine:
        if id is None:
            rows = InStore(engine.store, engine.journal, engine.namespace, engine.app).rows()
        else:
            found = await row_of(engine, id)
            rows = of_id(engine.store, found.namespace, found.id)

        def note(row: RunRow, value: Placed) -> None:
            missing.append({"id": row.id, "value": value.ref, "place": value.place})

        lines = (line for row in rows for line in export(engine.store, row.run, partial(note, row)))
        if target is None:
            for line in lines:
                output().buffer.write(line)
            output().flush()
        else:
            written = _write(lines, target)
    if target is not None and scope.json:
        whose = {} if id is None else {"id": rows[0].id}
        print_json({**whose, "runs": len(rows), "file": target, "lines": written, "missing": missing})
    elif target is not None:
        several = f"{count(len(rows), 'run')}, " if len(rows) > 1 else ""
        console().print(f"{target}: {several}{count(written, 'line')}")
    for value in missing:
        print_error(
            CallerError(
                f"run {value['id']}: value {value['value']} is null in the export; there is nothing at "
                f"{value['place']}, where it has to be: bring it back from a backup of that, and export again"
            )
        )
    return DATABASE if missing else OK


def _write(lines: Iterable[bytes], target: str) -> int:
    """How many lines there were. What cannot be written to its end is not left."""
    try:
        with open(target, "xb") as file:
            try:
                return sum(bool(file.write(line)) for line in lines)
            except BaseException:
                os.unlink(target)
                raise
    except FileExistsError as error:
        raise InvalidArgument(f"{target} is there already; an export goes to a new file") from error
    except OSError as error:
        raise InvalidArgument(f"{target} cannot be written: {error.strerror}") from error


@db.command
def move(
    target: Annotated[str, Parameter(help="An empty PostgreSQL database, postgresql://…")],
    /,
    *,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Move a file to PostgreSQL, with its open runs; the file is put aside. Nobody may be at work on it."""
    scope.require_no_server()
    moved = move_database(scope.database, target)
    if scope.json:
        print_json(moved)
    else:
        for table, count in moved.items():
            console().print(f"{count:>10,}  {table}", highlight=False)
        console().print(
            f"the runs are in {shown(target)} now; the file is put aside as {sqlite_path(scope.database)}{ASIDE}"
        )
    return 0


@db.command
def migrate(*, scope: Scope = Scope()) -> int:  # noqa: B008 (immutable)
    """Bring the database to this release's schema. Opening it does so too; this does nothing else."""

    async def open_it() -> int:
        async with client(scope) as engine:
            return engine.store.stats().schema

    schema = asyncio.run(open_it())
    if scope.json:
        print_json({"database": scope.shown_database, "schema": schema})
    else:
        console().print(f"{scope.shown_database} has schema {schema}")
    return 0
