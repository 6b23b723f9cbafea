"""Looking at runs: lists, one run whole, its journal, its logs, one of its values."""

from __future__ import annotations

from itertools import islice
from typing import Any

import msgspec

from segue.engine import Engine
from segue.errors import InvalidArgument, RunNotFound
from segue.kernel import events as e
from segue.kernel.payload import Payload
from segue.server.call import Call, Limit, Number
from segue.server.plain_calls import PlainCalls, is_plain, plain_calls
from segue.server.views import (
    CallView,
    EventView,
    FailureView,
    IncidentView,
    RunView,
    ValueView,
    call_view,
    event_view,
    failure_view,
    incident_view,
    run_view,
    value_view,
)
from segue.standing import standing
from segue.stores.base import CLOSED, OPEN, RunFilter, RunRow
from segue.watching import LiveWatch, Watch

MOST = 500
"""Things in one answer, however many are asked for."""
LARGEST = 1 << 63
"""From here on no database has a number for it."""
_GROUPS = {"open": OPEN, "closed": CLOSED}


class RunWhere(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which runs.

    Attributes:
        state: states, or ``open`` and ``closed`` for several of them; any if none is named.
        app, workflow, id: exactly this app and workflow; ids that begin so.
        tag, attribute: ``name=value``; an attribute's value is JSON, or text where it is none.
        since, until: started from, and before (µs).
        parent: children of this run.
        text: words, each of which is in the run's id, workflow, labels, attributes, summary or error; the last one is
            the beginning of a word, unless a blank follows it.
    """

    state: list[str] = []
    app: str | None = None
    workflow: str | None = None
    id: str | None = None
    tag: list[str] = []
    attribute: list[str] = []
    since: Number | None = None
    until: Number | None = None
    parent: Number | None = None
    text: str | None = None


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which page: behind the cursor ``after``, at most ``limit``, 500 in any case."""

    after: Number | None = None
    limit: Limit = 50


class RunQuery(RunWhere, frozen=True, forbid_unknown_fields=True):
    """Which runs, and which page of them, as ``PageQuery`` has it. ``current``: nothing but the current run of exactly
    this id, whatever else is said."""

    current: str | None = None
    after: Number | None = None
    limit: Limit = 50


class RunPage(msgspec.Struct, frozen=True):
    """Runs, newest first. ``next``: the cursor of the page behind it, None at the end. A page of a search for text may
    be short, or empty, before the end. ``now``: the server's time."""

    runs: list[RunView]
    next: int | None
    now: int


class WaitView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an open run waits for besides its calls."""

    kind: str
    name: str = ""
    until: int | None = None


class RunPicture(msgspec.Struct, frozen=True, kw_only=True):
    """One run whole, as far as it is on disk.

    Attributes:
        seq: the last event that it shows.
        calls: in order of their beginning.
        failure: with what the workflow itself ended.
        first, latest: the first and the last run of its chain, where it is another one.
        published: values that the run shows while it goes on.
        children: pictures of the first child runs, by the key of the call.
        plain: where it was asked for, the steps of which there is no more to tell; ``calls`` has the others.
    """

    run: RunView
    seq: int
    now: int
    calls: list[CallView]
    incidents: list[IncidentView]
    waits: list[WaitView]
    input: ValueView | None
    result: ValueView | None
    failure: FailureView | None = None
    first: int | None = None
    latest: int | None = None
    published: dict[str, Any]
    started_by: str | None
    children: dict[str, RunPicture] = {}
    plain: PlainCalls | None = None


class PictureQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``plain``: steps that simply completed come column by column, without their values, which are asked for."""

    plain: bool = False


class EventQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events from the one behind ``after``, at most ``limit``."""

    after: Number = 0
    limit: Limit = MOST


class EventPage(msgspec.Struct, frozen=True):
    """Events in order; ``next`` is the ``after`` of the page behind it, None at the end of the journal."""

    events: list[EventView]
    next: int | None


class ValueQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which value: the event's number, and the name of the field that holds it."""

    seq: Number
    field: str


async def list_runs(call: Call[RunQuery, None]) -> RunPage:
    if call.query.current is not None:
        row = call.engine.store.find(call.engine.namespace, call.query.current)
        return _shown(call.engine, [] if row is None else [row], None)
    return await _page(call.engine, filter_of(call.engine, call.query), call.query.after, call.query.limit)


async def list_children(call: Call[PageQuery, None]) -> RunPage:
    where = RunFilter(namespace=call.engine.namespace, parent=the_run(call).run)
    return await _page(call.engine, where, call.query.after, call.query.limit)


def filter_of(engine: Engine, query: RunWhere) -> RunFilter:
    """The store's words for the same choice.

    Raises:
        InvalidArgument: there is no such state, or a pair lacks its value.
    """
    return RunFilter(
        namespace=engine.namespace,
        app=query.app,
        states=_states(query.state),
        workflow=query.workflow,
        id_prefix=query.id,
        tags=_pairs(query.tag, "tag"),
        attributes={name: _json_or_text(value) for name, value in _pairs(query.attribute, "attribute").items()},
        started_from=query.since,
        started_until=query.until,
        parent=query.parent,
        text=query.text,
    )


async def _page(engine: Engine, where: RunFilter, after: int | None, limit: int) -> RunPage:
    limit = min(limit, MOST)
    if where.text is not None:
        page = await engine.search(msgspec.structs.replace(where, after=after, limit=limit))
        return _shown(engine, page.rows, page.next)
    found = await engine.list(msgspec.structs.replace(where, after=after, limit=limit + 1))
    return _shown(engine, found[:limit], found[limit - 1].run if len(found) > limit else None)


def _shown(engine: Engine, rows: list[RunRow], next: int | None) -> RunPage:
    now = engine.clock.now()
    open_tasks = engine.store.open_tasks_of(row.run for row in rows)
    runs = [run_view(opened(engine, row), standing(engine, row, open_tasks, now)) for row in rows]
    return RunPage(runs, next, now)


def opened(engine: Engine, row: RunRow) -> RunRow:
    """The row with the texts opened that a codec has sealed."""
    open_text = engine.journal.open_text
    return msgspec.structs.replace(row, summary=open_text(row.summary), timer=row.timer and open_text(row.timer))


async def show_run(call: Call[PictureQuery, None]) -> RunPicture:
    watch = LiveWatch(call.engine, the_run(call).run, apart=True)
    watch.refresh()
    return picture(call.engine, watch, plain=call.query.plain)


def picture(engine: Engine, watch: Watch, *, plain: bool = False) -> RunPicture:
    """A run as its watch sees it."""
    timeline = watch.timeline
    calls = sorted(timeline.calls.values(), key=lambda each: each.began_at)
    started, closing = timeline.started, timeline.closing
    first = watch.row.chain
    latest = engine.store.latest(watch.run) if isinstance(closing, e.RunContinued) else None
    view = msgspec.structs.replace(run_view(watch.row), state=watch.state)
    return RunPicture(
        run=view,
        seq=timeline.seq,
        now=watch.now,
        calls=[call_view(each) for each in calls if not (plain and is_plain(each))],
        incidents=[incident_view(incident) for incident in timeline.incidents],
        waits=[WaitView(wait.kind, wait.name, wait.until) for wait in watch.waits()],
        input=None if started is None else value_view(started.input, (1, "input")),
        result=value_view(closing.result, (timeline.closed_seq, "result"))
        if isinstance(closing, e.RunCompleted)
        else None,
        failure=failure_view(closing.failure) if isinstance(closing, e.RunFailed) else None,
        first=None if first == watch.run else first,
        latest=None if latest is None or latest.run == watch.run else latest.run,
        published=engine.published(watch.run),
        started_by=None if started is None else started.actor,
        children={key: picture(engine, child, plain=plain) for key, child in watch.children.items()},
        plain=plain_calls(list(filter(is_plain, calls)), watch.row.started_at) if plain else None,
    )


async def list_events(call: Call[EventQuery, None]) -> EventPage:
    limit = min(call.query.limit, MOST)
    row = the_run(call)
    events = islice(call.engine.events_of(row.run, after=call.query.after, apart=True), limit + 1)
    views = [event_view(seq, event) for seq, event in events]
    more = len(views) > limit
    return EventPage(views[:limit], views[limit - 1].seq if more else None)


async def show_value(call: Call[ValueQuery, None]) -> ValueView:
    """A value whole, however large."""
    row, query = the_run(call), call.query
    for seq, event in await call.engine.read_events(row.run, after=query.seq - 1, limit=1):
        payload = getattr(event, query.field, None)
        if seq == query.seq and isinstance(payload, Payload):
            return value_view(payload, shown=1 << 62)
    raise InvalidArgument(f"event {query.seq} of run {row.id!r} has no value {query.field!r}", path="$.field")


def the_run(call: Call[Any, Any]) -> RunRow:
    """The run that the path names, by its number.

    Raises:
        RunNotFound: there is none in this namespace.
    """
    return find_run(call.engine, call.path["run"])


def find_run(engine: Engine, run: int) -> RunRow:
    """The run of a number. Raises ``RunNotFound``."""
    row = engine.store.run(run) if run < LARGEST else None
    if row is None or row.namespace != engine.namespace:
        raise RunNotFound(str(run), engine.namespace)
    return row


def _states(words: list[str]) -> tuple[str, ...]:
    states: list[str] = []
    for word in words:
        if word not in _GROUPS and word not in OPEN + CLOSED:
            raise InvalidArgument(
                f"there is no state {word!r}; states are {', '.join(OPEN + CLOSED)}, and open, closed", path="$.state"
            )
        states += _GROUPS.get(word, (word,))
    return tuple(dict.fromkeys(states))


def _pairs(texts: list[str], name: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign:
            raise InvalidArgument(f"{name}={text} lacks a value; write {name}=name=value", path=f"$.{name}")
        pairs[key] = value
    return pairs


def _json_or_text(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
