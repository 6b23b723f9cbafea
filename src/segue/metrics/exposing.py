"""Writes the figures of an engine down as Prometheus reads them. The names are an interface: docs/observability.md."""

from __future__ import annotations

import platform
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar, get_args

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

import segue
from segue.errors import StoreError
from segue.metrics.counting import OTHERS, Counts, Histogram, Name, Named, OfStep, OfWorkflow
from segue.metrics.loop_lag import LoopLag
from segue.metrics.meter import Meter, Standing, Work
from segue.owner.serving import Duty
from segue.runtime.beside import beside
from segue.runtime.differing import Kind
from segue.stores.attempt_rows import QueueFigures
from segue.stores.backlog import OpenWork

Labels = TypeVar("Labels", bound=tuple[str, ...])
T = TypeVar("T")

OUTCOMES = ("completed", "retried", "failed")
TASKS = ("opened", "completed")
WORKFLOWS = 300
"""Workflows whose runs are told apart in what the store says; the runs of the others are counted together."""
QUEUES = 300
"""Queues that are told of."""


async def exposition(meter: Meter, accept: str = "", *, namespaces: Collection[str] | None = None) -> tuple[bytes, str]:
    """The figures of this moment, and their media type, as whoever scrapes wants them (``accept``).

    ``namespaces``: those of which they may know; by default all. What is of no namespace is told in any case.

    What moves with the loop is looked at there, and takes no time; the store, and writing it all down, are left to a
    thread, so that runs go on meanwhile.
    """
    everything = _Everything(meter, meter.attempts(), list(_of_process(meter)), namespaces)
    return await beside(_written, everything, accept)


def _written(everything: Collector, accept: str) -> tuple[bytes, str]:
    registry = CollectorRegistry()
    registry.register(everything)
    ProcessCollector(namespace="segue", registry=registry)
    write, media_type = choose_encoder(accept)
    return write(registry), media_type


class _Everything(Collector):
    def __init__(
        self, meter: Meter, work: Work, here: list[Metric], namespaces: Collection[str] | None
    ) -> None:  # fmt: skip
        self._meter = meter
        self._work = work
        self._here = here
        self._namespaces = namespaces

    def describe(self) -> list[Metric]:
        return []  # what there is shows when it is asked for

    def collect(self) -> Iterator[Metric]:
        meter = self._meter
        yield _gauge("segue_build_info", "The release that runs.", ("version", "python"), {_build(): 1})
        yield from _of_store(meter, self._work, self._namespaces)
        if meter.counts is not None:
            yield from _of_counts(meter.counts, self._namespaces)
        yield from self._here


def _build() -> tuple[str, ...]:
    return segue.__version__, platform.python_version()


# --- the store ------------------------------------------------------------------------------------------------


def _of_store(meter: Meter, work: Work, namespaces: Collection[str] | None) -> Iterator[Metric]:
    try:
        standing = meter.standing()
        opened = meter.open_work(meter.namespaces() if namespaces is None else namespaces)
    except StoreError:
        standing = None
    yield _gauge("segue_store_up", "1 if the database answers.", (), {(): int(standing is not None)})
    if standing is not None:
        yield from _of_namespaces(opened)
        yield from _of_standing(standing, meter.engine.app)
        queues = [each for each in standing.queues if namespaces is None or each.namespace in namespaces]
        yield from _of_queues(queues, standing.now)
        if meter.engine.duty is not None:
            load = meter.load(work, standing)
            text = "Work for this worker by how much it can do at once; above 1 it is behind. To scale by."
            yield _gauge("segue_worker_load", text, (), {(): load})


def _of_namespaces(opened: Mapping[str, OpenWork]) -> Iterator[Metric]:
    runs = _largest({(name, *key): count for name, work in opened.items() for key, count in work.runs.items()})
    yield _gauge("segue_runs", "Open runs.", ("namespace", "workflow", "state"), runs)
    tasks = {(name,): work.tasks for name, work in opened.items()}
    yield _gauge("segue_tasks_open", "Open human tasks.", ("namespace",), tasks)
    overdue = {(name,): work.overdue for name, work in opened.items()}
    yield _gauge("segue_tasks_overdue", "Those past their time.", ("namespace",), overdue)


def _of_standing(standing: Standing, app: str) -> Iterator[Metric]:
    figures = standing.backlog
    yield _gauge(
        "segue_runs_due", "Runs whose time has come and that nobody executes.", ("app",), {(app,): figures.due}
    )
    yield _gauge("segue_inbox_messages", "Messages that wait for a run.", ("app",), {(app,): figures.messages})
    age = 0.0 if figures.oldest is None else max(0, standing.now - figures.oldest) / 1_000_000
    yield _gauge("segue_inbox_oldest_seconds", "Since when the first of them waits.", ("app",), {(app,): age})
    text = "For how long the schedule that waits longest has been due."
    yield _gauge("segue_schedule_lag_seconds", text, ("app",), {(app,): standing.schedule_lag})
    yield _gauge("segue_workers", "Workers of the app that are alive.", ("app",), {(app,): standing.workers})
    differing = {(app, kind): standing.differing.get(kind, 0) for kind in get_args(Kind)}
    yield _gauge("segue_workflows_differing", "Those that workers have other code for.", ("app", "kind"), differing)


def _of_queues(queues: Sequence[QueueFigures], now: int) -> Iterator[Metric]:
    """Of those with the most in them; an empty one is not there."""
    counts: dict[tuple[str, ...], int] = {}
    ages: dict[tuple[str, ...], float] = {}
    for each in sorted(queues, key=lambda each: -each.waiting - each.paused - each.held)[:QUEUES]:
        place = each.namespace, each.app, each.queue
        counts |= {(*place, "waiting"): each.waiting, (*place, "paused"): each.paused, (*place, "held"): each.held}
        ages[place] = 0.0 if each.since is None else max(0, now - each.since) / 1_000_000
    labels = "namespace", "app", "queue"
    text = "Attempts in a queue: that wait for a worker, that workers have, and that are paused."
    yield _gauge("segue_queue_attempts", text, (*labels, "state"), counts)
    yield _gauge("segue_queue_oldest_seconds", "Since when the first of them waits for a worker.", labels, ages)


def _largest(counted: Mapping[tuple[str, str, str], int]) -> dict[tuple[str, str, str], int]:
    """(namespace, workflow, state) → runs, from (namespace, state, workflow), of the workflows with the most open runs;
    the others of a namespace together."""
    together: dict[Name, int] = {}
    for (namespace, _, workflow), count in counted.items():
        together[namespace, workflow] = together.get((namespace, workflow), 0) + count
    named = set(sorted(together, key=lambda name: (-together[name], name))[:WORKFLOWS])
    found: dict[tuple[str, str, str], int] = {}
    for (namespace, state, workflow), count in counted.items():
        key = (namespace, workflow if (namespace, workflow) in named else OTHERS, state)
        found[key] = found.get(key, 0) + count
    return found


# --- this process ---------------------------------------------------------------------------------------------


WORKFLOW = ("namespace", "workflow")
STEP = ("namespace", "step")


def _of_counts(counts: Counts, namespaces: Collection[str] | None) -> Iterator[Metric]:
    yield from _of_workflows(_told(counts.workflows, namespaces))
    yield from _of_steps(_told(counts.steps, namespaces))
    tasks = _told(counts.tasks, namespaces)
    events = {(name, what): getattr(each, what) for (name, _), each in tasks.items() for what in TASKS}
    yield _counter("segue_tasks", "Human tasks opened and completed.", ("namespace", "event"), events)
    yield _histogram("segue_timer_lag_seconds", "How late timers fired.", (), {(): counts.lateness})
    yield _histogram("segue_commit_duration_seconds", "What a commit took.", (), {(): counts.commits})
    yield _counter("segue_commit_operations", "Operations that were committed.", (), {(): counts.operations})


def _told(counted: Named[T], namespaces: Collection[str] | None) -> dict[Name, T]:
    """What may be known of it. Copied at once: the loop goes on counting."""
    found = dict(counted)
    return found if namespaces is None else {name: each for name, each in found.items() if name[0] in namespaces}


def _of_workflows(workflows: Mapping[Name, OfWorkflow]) -> Iterator[Metric]:
    started = {name: each.started for name, each in workflows.items()}
    yield _counter("segue_runs_started", "Runs that began.", WORKFLOW, started)
    ended = {(*name, state): count for name, each in workflows.items() for state, count in [*each.ended.items()]}
    yield _counter("segue_runs_ended", "Runs that ended.", (*WORKFLOW, "state"), ended)
    lengths = {name: each.lengths for name, each in workflows.items()}
    yield _histogram("segue_run_duration_seconds", "From begin to end.", WORKFLOW, lengths)
    opened = {(*name, why): count for name, each in workflows.items() for why, count in [*each.incidents.items()]}
    yield _counter("segue_incidents", "Incidents that were opened.", (*WORKFLOW, "cause"), opened)


def _of_steps(steps: Mapping[Name, OfStep]) -> Iterator[Metric]:
    text = "Attempts of steps: completed, retried (it failed and is tried again), failed (for good)."
    attempts = {(*name, what): getattr(each, what) for name, each in steps.items() for what in OUTCOMES}
    yield _counter("segue_step_attempts", text, (*STEP, "outcome"), attempts)
    took = {name: each.lengths for name, each in steps.items()}
    yield _histogram("segue_step_duration_seconds", "What an attempt took.", STEP, took)
    cached = {name: each.cached for name, each in steps.items()}
    yield _counter("segue_step_cached", "Calls answered from the cache.", STEP, cached)


def _of_process(meter: Meter) -> Iterator[Metric]:
    yield _gauge("segue_owner", "1 if this process owns runs.", (), {(): int(meter.engine.owner)})
    if meter.loop_lag is not None:
        yield from _of_loop(meter.loop_lag)
    if meter.engine.duty is not None:
        yield from _of_duty(meter, meter.engine.duty)


def _of_loop(lag: LoopLag) -> Iterator[Metric]:
    text = "How late the event loop came to a timer: what keeps it is a step or workflow that blocks."
    yield _histogram("segue_event_loop_lag_seconds", text, (), {(): lag.seconds})
    yield _gauge("segue_event_loop_lag_worst_seconds", "The longest since the last scrape.", (), {(): lag.take_worst()})


def _of_duty(meter: Meter, duty: Duty) -> Iterator[Metric]:
    conductor = duty.conductor
    yield _gauge("segue_writer_depth", "Operations that wait for a commit.", (), {(): conductor.writer.depth})
    yield _counter(
        "segue_commit_failures", "Commits that failed and are tried again.", (), {(): conductor.writer.failures}
    )
    yield _gauge("segue_resident_runs", "Runs in memory.", (), {(): len(conductor.residents)})
    text = "Idle runs that have left memory because the process held too much."
    yield _counter("segue_runs_shed", text, (), {(): duty.memory.shed})
    slots = sum(each.high - each.low + 1 for each in conductor.slots)
    yield _gauge("segue_slots_owned", "Slots that this worker owns, of 16384.", (), {(): slots})
    lease = conductor.store.lease
    if lease is not None:
        age = time.monotonic() - duty.tending.heard_at
        yield _gauge("segue_lease_age_seconds", "Since when the database last heard of it.", (), {(): age})
        yield _gauge("segue_lease_seconds", "The age at which others take over.", (), {(): lease})
    work: dict[tuple[str, ...], float] = {}
    for executor, (running, waiting) in meter.attempts().items():
        work[executor, "running"], work[executor, "waiting"] = running, waiting
    work |= {(executor, "hanging"): threads for executor, threads in meter.hanging().items()}
    yield _gauge("segue_attempts", "Attempts of steps here, by where they run.", ("executor", "state"), work)
    text = "How many attempts can run at once here."
    yield _gauge("segue_attempts_capacity", text, ("executor",), _single(meter.capacity()))


# --- families -------------------------------------------------------------------------------------------------


def _single(values: Mapping[str, float]) -> dict[tuple[str, ...], float]:
    return {(name,): value for name, value in list(values.items())}


def _gauge(name: str, text: str, labels: Iterable[str], values: Mapping[Labels, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=list(labels))
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _counter(name: str, text: str, labels: Iterable[str], values: Mapping[Labels, float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=list(labels))
    for key, value in list(values.items()):
        family.add_metric(key, value)
    return family


def _histogram(name: str, text: str, labels: Iterable[str], values: Mapping[Labels, Histogram]) -> Metric:
    family = HistogramMetricFamily(name, text, labels=list(labels))
    for key, histogram in list(values.items()):
        family.add_metric(key, histogram.buckets(), histogram.sum)
    return family
