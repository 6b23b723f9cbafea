"""A run as a program takes it in that shows runs by itself: its journal as it stands on disk, and what is beside it."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Literal

import msgspec

from segue.kernel import events as e
from segue.kernel.payload import Payload
from segue.runtime.activity import Activity
from segue.runtime.beside import beside
from segue.server.call import Call, Number
from segue.server.runs import MOST, the_run
from segue.server.views import RunView, run_view
from segue.stores.base import RunRow, Task
from segue.watching import Beat, EngineLook

LARGE = 4 * 1024 * 1024
"""Bytes of payloads after which a page ends."""


class BeatView(msgspec.Struct, frozen=True):
    """What an attempt that goes on has said last; ``details`` is a payload, as the journal has them, or null.
    ``queue``: in which it is; ``worker``: who of that queue's has it, if somebody does."""

    key: str
    name: str
    attempt: int
    at: int
    details: msgspec.Raw
    queue: str = ""
    worker: str = ""


class AskedView(msgspec.Struct, frozen=True):
    """What the run has asked people; ``subject`` is a payload, or null."""

    task: int
    key: str
    name: str
    assignee: str
    state: Literal["open", "completed", "withdrawn"]
    opened_at: int
    due: int | None
    closed_at: int | None
    subject: msgspec.Raw


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A run, from the event behind ``after`` on.

    Attributes:
        now: the server's time.
        events: pairs of a number and an event of the journal, as an array that begins with the event's kind. Uids, by
            which the database knows runs, are replaced.
        next: the ``after`` of the page behind it, None at the end.
        activity: what its owner does for it, if that is the server's process.
        children: the runs that it has started, by what its journal calls them.
        published: payloads by name.
    """

    run: RunView
    now: int
    events: list[tuple[int, msgspec.Raw]]
    next: int | None
    activity: Activity
    beats: list[BeatView]
    tasks: list[AskedView]
    children: dict[str, int]
    published: dict[str, msgspec.Raw]


class RecordQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``after``: the last event that is known already."""

    after: Number = 0


async def show_record(call: Call[RecordQuery, None]) -> Record:
    look = EngineLook(call.engine, the_run(call).run)
    events, more = await beside(lambda: _page(look.events(call.query.after)))
    return Record(
        run=run_view(look.row),
        now=look.now,
        events=events,
        next=events[-1][0] if more else None,
        activity=look.activity,
        beats=[BeatView(b.key, b.name, b.attempt, b.at, _raw(b.details), b.queue, b.worker) for b in look.beats()],
        tasks=[_asked_view(task) for task in look.tasks()],
        children={_other_name(uid): run for uid, run in look.children().items()},
        published={name: msgspec.Raw(msgspec.json.encode(value)) for name, value in look.published().items()},
    )


def _page(events: Iterable[tuple[int, e.Event]]) -> tuple[list[tuple[int, msgspec.Raw]], bool]:
    """A page of events, and whether there are more."""
    page: list[tuple[int, msgspec.Raw]] = []
    size = 0
    for seq, event in events:
        if len(page) == MOST or size > LARGE:
            return page, True
        data = e.encode(_without_uids(event))
        size += len(data)
        page.append((seq, msgspec.Raw(data)))
    return page, False


def _without_uids(event: e.Event) -> e.Event:
    """The event without what proves that somebody knows the database: tokens of attempts come of it."""
    replace = msgspec.structs.replace
    match event:
        case e.RunStarted():
            parent, continued = event.parent, event.continued
            return replace(
                event,
                uid=_other_name(event.uid),
                seed="",
                parent=parent and replace(parent, uid=_other_name(parent.uid)),
                continued=continued and replace(continued, uid=_other_name(continued.uid)),
            )
        case e.ChildStarted() | e.RunContinued():
            return replace(event, uid=_other_name(event.uid))
    return event


def _other_name(uid: str) -> str:
    return blake2b(uid.encode(), digest_size=16).hexdigest() if uid else ""


def _raw(payload: Payload | None) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(payload))


def _asked_view(task: Task) -> AskedView:
    subject = msgspec.Raw(b"null" if task.subject is None else task.subject)
    return AskedView(
        task.task, task.key, task.name, task.assignee, task.state, task.opened_at, task.due, task.closed_at, subject
    )


class RecordLook:
    """A look at what a server has told, page by page."""

    def __init__(self, record: Record) -> None:
        self.row = _row(record.run)
        self.now = record.now
        self.activity = record.activity
        self._record = record

    def events(self, after: int) -> list[tuple[int, e.Event]]:
        return [(seq, e.decode(bytes(raw))) for seq, raw in self._record.events if seq > after]

    def beats(self) -> list[Beat]:
        return [
            Beat(
                b.key, b.name, b.attempt, b.at, msgspec.json.decode(b.details, type=Payload | None), b.queue, b.worker
            )
            for b in self._record.beats
        ]  # fmt: skip

    def tasks(self) -> list[Task]:
        run = self.row
        return [
            Task(
                a.task, run.run, run.id, run.namespace, a.key, a.name, a.assignee, a.state, a.opened_at, a.due, None,
                None if bytes(a.subject) == b"null" else bytes(a.subject), a.closed_at,
            )
            for a in self._record.tasks
        ]  # fmt: skip

    def children(self) -> dict[str, int]:
        return self._record.children

    def published(self) -> dict[str, Payload]:
        return {name: _payload(raw) for name, raw in self._record.published.items()}


def _payload(raw: msgspec.Raw) -> Payload:
    return msgspec.json.decode(raw, type=Payload)


def _row(run: RunView) -> RunRow:
    """The run's row, as far as a server tells of it."""
    return RunRow(
        run=run.run, namespace=run.namespace, id=run.id, uid="", app=run.app, workflow=run.workflow,
        version=run.version, state=run.state, wake=run.due_at, started_at=run.started_at, changed_at=run.changed_at,
        closed_at=run.closed_at, parent=run.parent, error=run.error, input_hash="", tags=run.tags,
        attributes=run.attributes, summary=run.summary, timer=run.timer, awaits=tuple(run.awaits),
    )  # fmt: skip
