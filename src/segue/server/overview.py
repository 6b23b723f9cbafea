"""What the first page asks: how many runs are in which state, and what needs a person."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.client.handles import HumanTask
from segue.engine import Engine
from segue.runtime.beside import beside
from segue.runtime.differing import Kind, differences
from segue.server.call import Call
from segue.server.people import TaskQuery, counted, tasks_of
from segue.server.views import RunView, run_view
from segue.standing import standing
from segue.stores.base import RunFilter
from segue.stores.owning import Worker

MOST = 20
"""Incidents and tasks that are shown; how many there are is told by the counts."""
COUNTED_TASKS = 100_000
"""How far open tasks are counted."""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything stands.

    Attributes:
        counts: runs by state, of this namespace.
        incidents: runs that stand still, newest first. tasks: open tasks, the most urgent first.
        owner: who owns the runs of the app, and the workflows that it serves; None when nobody does.
    """

    counts: dict[str, int]
    incidents: list[RunView]
    tasks: list[HumanTask]
    open_tasks: int
    owner: OwnerView | None
    namespace: str
    app: str
    now: int


class OwnerView(msgspec.Struct, frozen=True):
    """A worker, and its workflows with their versions."""

    worker: str
    serves: dict[str, str]


class AppView(msgspec.Struct, frozen=True, kw_only=True):
    """Whose runs these are, who owns them, and the server's time."""

    app: str
    namespace: str
    owner: OwnerView | None
    now: int


class AppQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which app; the server's own by default."""

    app: str | None = None


async def show_app(call: Call[AppQuery, None]) -> AppView:
    engine = call.engine
    app = call.query.app or engine.app
    return AppView(app=app, namespace=engine.namespace, owner=_owner(engine, app), now=engine.clock.now())


def _owner(engine: Engine, app: str) -> OwnerView | None:
    owner = engine.store.owner(app)
    return None if owner is None else OwnerView(owner.worker, owner.serves)


class WorkerView(Worker, frozen=True):
    """A worker, and where others of its app have other code.

    Attributes:
        differs: workflows in whose code workers of the app differ, with how: ``rolling`` (a newer version follows an
            older one), ``mixed`` (several stay beside each other), ``arriving`` (only workers that came later have it),
            ``leaving`` (workers that came later lack it). One that is not in ``serves`` is what this worker lacks.
    """

    differs: dict[str, Kind]


async def list_workers(call: Call[Any, None]) -> list[WorkerView]:
    workers, now = call.engine.store.workers(), call.engine.clock.now()
    differs: dict[str, dict[str, Kind]] = {}
    for app in {each.app for each in workers}:
        found = differences([each for each in workers if each.app == app], now)
        # Of two things about one workflow, that of its versions comes first, and is what is said.
        differs[app] = {each.workflow: each.kind for each in reversed(found)}
    return [WorkerView(**msgspec.structs.asdict(each), differs=differs[each.app]) for each in workers]


async def overview(call: Call[Any, None]) -> Overview:
    engine = call.engine
    now = engine.clock.now()
    tasks, _ = await tasks_of(engine, TaskQuery(limit=MOST))
    counted_tasks = await counted(engine, "", COUNTED_TASKS)
    standing_still = engine.store.list(RunFilter(namespace=engine.namespace, states=("incident",), limit=MOST))
    open_tasks = engine.store.open_tasks_of(row.run for row in standing_still)
    # In a thread: over a million runs it takes a tenth of a second, and lists are answered meanwhile.
    counts = await beside(engine.store.counts, engine.namespace)
    return Overview(
        counts=counts,
        incidents=[run_view(row, standing(engine, row, open_tasks, now)) for row in standing_still],
        tasks=tasks,
        open_tasks=counted_tasks.open,
        owner=_owner(engine, engine.app),
        namespace=engine.namespace,
        app=engine.app,
        now=now,
    )
