"""Finds what a person means: a database or a server to be asked, and in it a run, by id or by the beginning of one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from difflib import get_close_matches
from typing import Any, TypeVar

from segue.cli.person import person
from segue.cli.scope import Reach, Scope
from segue.cli.words import ago
from segue.configuration.settings import said_namespace
from segue.engine import Engine
from segue.errors import CallerError, InvalidArgument, RunNotFound, ServerRefused
from segue.kernel import events as e
from segue.server import overview, records, runs
from segue.server.answers import Answers, Here
from segue.server.call import Call
from segue.server.overview import WorkerView
from segue.server.views import RunView
from segue.stores.attempt_rows import QueueFigures
from segue.stores.base import RunRow
from segue.watching import Change, Watch

OfApp = TypeVar("OfApp", WorkerView, QueueFigures)
NEAR = 200
"""The newest runs among whose ids one that comes near is looked for."""


class NoSuchRun(RunNotFound):
    """No run has the id, nor one that begins with it; the text says which ones come near."""

    def __init__(self, id: str, namespace: str, hint: str) -> None:
        CallerError.__init__(self, f"no run {id!r} in namespace {namespace!r}; {hint}")
        self.run_id = id
        self.namespace = namespace


@asynccontextmanager
async def client(scope: Scope) -> AsyncIterator[Engine]:
    """An engine that owns nothing, on a database that is there.

    Raises:
        StoreUnavailable: there is none. InvalidArgument: a server is meant.
    """
    scope.require_no_server()
    scope.require_database()
    async with Engine(scope.url, app=scope.app, namespace=scope.namespace, own=False) as engine:
        yield engine


@asynccontextmanager
async def reached(
    scope: Reach, *, by: str | None = None, me: bool = False, new: bool = False
) -> AsyncIterator[Answers]:
    """The server that is asked, or the database.

    Args:
        by: who acts, as was said. A server knows that by itself.
        me: on a database, by default the user of this machine acts, rather than nobody in particular.
        new: the database may not be there yet.

    Raises:
        StoreUnavailable, ServerUnavailable, InvalidArgument, ServerRefused: it cannot be asked.
    """
    address = scope.server_address
    if address is None:
        if not new:
            scope.require_database()
        async with Engine(scope.url, app=scope.app, namespace=scope.namespace, own=False) as engine:
            yield Here(engine, by=by or (person() if me else ""))
        return
    if by:
        raise InvalidArgument(f"--by is for a database; {address} knows by the key who acts")
    from segue.server.client import ServerClient  # with all routes and HTTP, which a database needs not wait for

    key = scope.api_key
    async with ServerClient(address, key=key, namespace=said_namespace(scope.namespace)) as server:
        try:
            await _check_place(server, scope, address)
            yield server
        except ServerRefused as error:
            if error.type != "segue:unknown-caller":
                raise
            raise ServerRefused(_who(address, key), type=error.type, status=error.status) from error


async def of_app(
    answers: Answers, ask: Callable[[Call[Any, None]], Awaitable[list[OfApp]]], *, all: bool
) -> tuple[list[OfApp], str, int]:
    """What a list has of the app, or ``all`` of it; whose that is, in words, and the time there (µs)."""
    there = await answers.ask(overview.show_app, query=overview.AppQuery())
    found = await answers.ask(ask)
    if all:
        return found, "any app", there.now
    return [one for one in found if one.app == there.app], f"app {there.app!r}", there.now


def _who(address: str, key: str) -> str:
    how = "`segue key add` makes one there, SEGUE_API_KEY or --key-file gives it here"
    if key:
        return f"{address} does not take this API key: it was revoked, has ended, or is of another server; {how}"
    return f"{address} has to know who asks, by an API key: {how}"


async def _check_place(server: Answers, scope: Reach, address: str) -> None:
    """A server has one app: naming another one must not act on its runs."""
    if scope.app is None:
        return
    there = await server.ask(overview.show_app, query=overview.AppQuery())
    if scope.app != there.app:
        raise InvalidArgument(f"{address} serves app {there.app!r}, not {scope.app!r}; name the server that does")


async def lookup(answers: Answers, id: str) -> RunView:
    """The run of an id, or the only one whose id begins so.

    Raises:
        NoSuchRun: there is none.
        InvalidArgument: there are several, or the id is empty, with which every id begins.
    """
    if not id:
        raise InvalidArgument("the id of the run is empty; `segue list` shows what there is")
    page = await answers.ask(runs.list_runs, query=runs.RunQuery(current=id))
    if page.runs:
        return page.runs[0]
    page = await answers.ask(runs.list_runs, query=runs.RunQuery(id=id, limit=20))
    found = {run.id: run for run in reversed(page.runs)}  # of several runs of one id, the newest
    if len(found) == 1:
        return found.popitem()[1]
    if found:
        listed = "\n".join(f"  {r.id}  {r.state}, started {ago(r.started_at, page.now)}" for r in found.values())
        raise InvalidArgument(f"{len(found)} runs begin with {id!r}; write more of the id:\n{listed}")
    app = await answers.ask(overview.show_app, query=overview.AppQuery())
    newest = await answers.ask(runs.list_runs, query=runs.RunQuery(limit=NEAR))
    known = [run.id for run in newest.runs]
    near = get_close_matches(id, known, 3, 0.5)
    if near:
        raise NoSuchRun(id, app.namespace, f"did you mean {' or '.join(near)}?")
    raise NoSuchRun(id, app.namespace, "`segue list` shows what there is" if known else "there are no runs at all")


async def row_of(engine: Engine, id: str) -> RunRow:
    """The run's row, for commands that open a database themselves. Raises as ``lookup``."""
    row = engine.store.run((await lookup(Here(engine), id)).run)
    assert row is not None, "it was found a moment ago"
    return row


async def watched(answers: Answers, run: int) -> Watch:
    """The run whole, with its children, as it is now."""
    watch = Watch(run)
    await look(answers, watch)
    return watch


async def look(answers: Answers, watch: Watch) -> list[Change]:
    """Has a watch see what has come since its last look, children included; says what has."""
    changes: list[Change] = []
    more = True
    while more:
        query = records.RecordQuery(watch.timeline.seq)
        record = await answers.ask(records.show_record, query=query, run=watch.run)
        changes += watch.take(records.RecordLook(record))
        more = record.next is not None
    for child in watch.children.values():
        if child.timeline.closing is None:
            changes += await look(answers, child)
    watch.take_states()
    return changes


async def journal(answers: Answers, run: int) -> list[tuple[int, e.Event]]:
    """All events of a run."""
    events: list[tuple[int, e.Event]] = []
    after: int | None = 0
    while after is not None:
        record = await answers.ask(records.show_record, query=records.RecordQuery(after), run=run)
        events += records.RecordLook(record).events(after)
        after = record.next
    return events
