"""What the engine and screens read."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

from segue.kernel.ramp import Ramp
from segue.stores import objects
from segue.stores.attempt_rows import Head, LiveAttempt, QueueFigures
from segue.stores.backlog import Backlog, OpenWork
from segue.stores.base import RESIDENT, HoldStep, InboxRow, RunFilter, RunRow, StoreStats, Task
from segue.stores.cache_rows import CacheEntry
from segue.stores.outbox_rows import OutboxRow
from segue.stores.owning import Owner, Worker
from segue.stores.search_rows import FoundRuns
from segue.stores.sql import attempts
from segue.stores.sql.backlog import backlog, open_work
from segue.stores.sql.conditions import Conditions, filtered
from segue.stores.sql.rows import run_row
from segue.stores.sql.search import Search, listed
from segue.stores.sql.statements import Connection, Readers, Row, Statement, numbers, texts

PAGE = 2_000
PAGE_BYTES = 4_000_000
"""Events of a journal that are read at a time, and bytes after which the page ends."""

_due = Statement("due_runs")
_begun = Statement("begun_runs")
_next_wake = Statement("next_wake")
_inbox = Statement("inbox_of_runs")
_message_known = Statement("message_known")
_runs_since_message = Statement("runs_since_message")
_inbox_runs = Statement("runs_with_messages")
_outbox = Statement("outbox_of_app")
_journal = Statement("journal_page")
_last_events = Statement("last_events")
_tail = Statement("journal_tail")
_run = Statement("run_by_row")
_runs = Statement("runs_by_row")
_latest = Statement("latest_run")
_find = Statement("run_by_id")
_list = Statement("list_runs")
_tasks = Statement("list_tasks")
_blobs = Statement("payloads_by_ref")
_refs = Statement("payloads_of_run")
_published = Statement("published_values")
_state = Statement("state_value")
_attempts = Statement("attempts_of_runs")
_heads = Statement("journal_heads")
_waits = Statement("attempt_waits")
_queues = Statement("queue_figures")
_held = Statement("held_steps_of_app")
_artifacts = Statement("artifacts_of_run")
_cached = Statement("cached_result")
_count_runs = Statement("count_runs")
_count_rows = Statement("count_rows")


class Reads:
    """The reading half of ``Store``; docstrings stand there."""

    def __init__(self, readers: Readers, conditions: Conditions) -> None:
        self._readers = readers
        self._conditions = conditions

    def _within(self) -> tuple[Any, ...]:
        """Values behind those of a statement that finds runs to be taken care of: whose they are, where there are
        several owners."""
        return ()

    def due(self, app: str, now: int, limit: int, *, only: Iterable[str] | None = None) -> list[RunRow]:
        workflows = None if only is None else texts(only)
        values = (app, RESIDENT + 1, now, workflows, limit, *self._within())
        with self._readers.reading() as connection:
            return [run_row(row) for row in _due.one(connection, values)]

    def begun(self, app: str, *, only: Iterable[str] | None = None) -> builtins.list[int]:
        workflows = None if only is None else texts(only)
        with self._readers.reading() as connection:
            return [run for (run,) in _begun.one(connection, (app, RESIDENT, workflows, *self._within()))]

    def next_wake(self, app: str, after: int) -> int | None:
        with self._readers.reading() as connection:
            rows = _next_wake.one(connection, (app, after, *self._within()))
        return rows[0][0] if rows else None

    def owner(self, app: str) -> Owner | None:
        owners = self._owners(app)
        if not owners:
            return None
        latest = {workflow: (worker, ramps) for worker, ramps in owners for workflow in worker.serves}
        serves = {workflow: worker.serves[workflow] for workflow, (worker, _) in latest.items()}
        ramps = {workflow: ramps[workflow] for workflow, (_, ramps) in latest.items() if workflow in ramps}
        return Owner(", ".join(worker.worker for worker, _ in owners), serves, ramps)

    def workers(self, app: str | None = None) -> builtins.list[Worker]:
        return [worker for worker, _ in self._owners(app)]

    def _owners(self, app: str | None) -> builtins.list[tuple[Worker, dict[str, Ramp]]]:
        """Who is alive, each with what it ramps up."""
        raise NotImplementedError  # the dialect knows

    def inbox(self, runs: Iterable[int]) -> list[InboxRow]:
        with self._readers.reading() as connection:
            return [InboxRow(*row) for row in _inbox.one(connection, (numbers(runs),))]

    def knows_message(self, run: int, message: str) -> bool:
        with self._readers.reading() as connection:
            return bool(_message_known.one(connection, (run, message)))

    def runs_since_message(self, run: int, message: str) -> builtins.list[int]:
        with self._readers.reading() as connection:
            return [row for (row,) in _runs_since_message.one(connection, (run, message))]

    def inbox_runs(self, app: str, limit: int, *, only: Iterable[str] | None = None) -> list[int]:
        workflows = None if only is None else texts(only)
        with self._readers.reading() as connection:
            return [run for (run,) in _inbox_runs.one(connection, (app, workflows, limit, *self._within()))]

    def outbox(self, app: str, limit: int, workflows: Iterable[str]) -> builtins.list[OutboxRow]:
        with self._readers.reading() as connection:
            return [OutboxRow(*row) for row in _outbox.one(connection, (app, texts(workflows), limit))]

    def journal(self, run: int, *, after: int = 0) -> Iterator[tuple[int, bytes]]:
        more = True
        while more:
            page, more = self._page(run, after)
            yield from page
            after = page[-1][0] if page else after

    def _page(self, run: int, after: int) -> tuple[builtins.list[tuple[int, bytes]], bool]:
        """Events, and whether there may be more."""
        page: builtins.list[tuple[int, bytes]] = []
        size = 0
        with (
            self._readers.reading() as connection,
            closing(connection.each(_journal.name, (run, after, PAGE))) as rows,
        ):
            for row in rows:
                page.append(row)
                size += len(row[1])
                if size > PAGE_BYTES:
                    return page, True
        return page, len(page) == PAGE

    def heads(self, runs: Iterable[int], limit: int) -> dict[int, Head]:
        asked = numbers(runs)
        found: dict[int, Head] = {}
        with self._readers.reading() as connection:
            for run, seq, event in _heads.one(connection, (asked, limit)):
                found.setdefault(run, Head([], [])).events.append((seq, event))
            for attempt in map(attempts.row, _attempts.one(connection, (asked,))):
                if attempt.run in found:
                    found[attempt.run].attempts.append(attempt)
        return found

    def event(self, run: int, seq: int) -> bytes | None:
        with self._readers.reading() as connection:
            rows = _journal.one(connection, (run, seq - 1, 1))
        return next((event for number, event in rows if number == seq), None)

    def tail(self, run: int, limit: int) -> builtins.list[tuple[int, bytes]]:
        with self._readers.reading() as connection:
            return _tail.one(connection, (run, limit))

    def last_events(self, runs: Iterable[int]) -> dict[int, int]:
        with self._readers.reading() as connection:
            rows = _last_events.one(connection, (numbers(runs),))
        return {run: seq for run, seq in rows if seq is not None}

    def run(self, run: int) -> RunRow | None:
        with self._readers.reading() as connection:
            return _only_run(_run.one(connection, (run,)))

    def runs(self, runs: Iterable[int]) -> dict[int, RunRow]:
        with self._readers.reading() as connection:
            return {row[0]: run_row(row) for row in _runs.one(connection, (numbers(runs),))}

    def latest(self, run: int) -> RunRow | None:
        with self._readers.reading() as connection:
            return _only_run(_latest.one(connection, (run,)))

    def find(self, namespace: str, id: str) -> RunRow | None:
        with self._readers.reading() as connection:
            return _only_run(_find.one(connection, (namespace, id)))

    def list(self, where: RunFilter) -> list[RunRow]:
        with self._readers.reading() as connection:
            if where.text is not None:
                return listed(connection, where, self._conditions)
            sql, values = list_statement(connection, where, self._conditions)
            return [run_row(row) for row in connection.execute(sql, values)]

    def search(self, where: RunFilter) -> FoundRuns:
        with self._readers.reading() as connection:
            return Search(connection, where, self._conditions).page()

    def tasks(
        self, namespace: str, *, state: str | None = "open", assignee: str | None = None, run: int | None = None,
        task: int | None = None,
    ) -> builtins.list[Task]:  # fmt: skip
        given = {"tasks.state = ?": state, "tasks.assignee = ?": assignee, "tasks.run = ?": run, "tasks.task = ?": task}
        chosen = {condition: value for condition, value in given.items() if value is not None}
        conditions = " AND ".join(["WHERE tasks.namespace = ?", *chosen])
        with self._readers.reading() as connection:
            sql = connection.text(_tasks.name).replace("WHERE tasks.namespace = ?", conditions)
            return [Task(*row) for row in connection.execute(sql, (namespace, *chosen.values()))]

    def blobs(self, refs: Iterable[str]) -> dict[str, bytes]:
        with self._readers.reading() as connection:
            rows = _blobs.one(connection, (texts(refs),))
        found = {ref: objects.get(place) if data is None else data for ref, data, place in rows}
        return {ref: data for ref, data in found.items() if data is not None}

    def refs(self, run: int) -> builtins.list[str]:
        with self._readers.reading() as connection:
            return [ref for (ref,) in _refs.one(connection, (run,))]

    def published(self, run: int) -> dict[str, bytes]:
        with self._readers.reading() as connection:
            return dict(_published.one(connection, (run,)))

    def artifacts(self, run: int) -> dict[str, bytes]:
        with self._readers.reading() as connection:
            return dict(_artifacts.one(connection, (run,)))

    def state(self, namespace: str, scope: str, key: str) -> bytes | None:
        with self._readers.reading() as connection:
            rows = _state.one(connection, (namespace, scope, key))
        return rows[0][0] if rows else None

    def attempts(self, run: int) -> builtins.list[LiveAttempt]:
        with self._readers.reading() as connection:
            return [attempts.row(values) for values in _attempts.one(connection, (numbers([run]),))]

    def waits_in(self, namespace: str, app: str, queue: str, now: int, steps: tuple[str, ...] | None = None) -> bool:
        place = (namespace, app, queue, now, attempts.named(steps))
        with self._readers.reading() as connection:
            return bool(_waits.one(connection, place)[0][0])

    def queues(
        self, namespace: str | None, app: str | None, now: int, limit: int = 100_000
    ) -> builtins.list[QueueFigures]:
        with self._readers.reading() as connection:
            return attempts.figures(_queues.one(connection, (namespace, app, now, limit)))

    def held(self, app: str) -> builtins.list[HoldStep]:
        with self._readers.reading() as connection:
            return [HoldStep(*row) for row in _held.one(connection, (app,))]

    def cached(self, namespace: str, step: str, key: str) -> CacheEntry | None:
        with self._readers.reading() as connection:
            rows = _cached.one(connection, (namespace, step, key))
        return CacheEntry(*rows[0]) if rows else None

    def backlog(self, app: str, now: int, limit: int = 100_000) -> Backlog:
        return backlog(self._readers, app, now, limit)

    def open_work(self, namespace: str, now: int, limit: int = 100_000) -> OpenWork:
        return open_work(self._readers, namespace, now, limit)

    def stats(self) -> StoreStats:
        with self._readers.reading() as connection:
            runs: dict[str, int] = dict(_count_runs.one(connection))
            ((events, payloads, inbox, tasks),) = _count_rows.one(connection)
            return StoreStats(runs, events, payloads, inbox, tasks, *self._measure(connection))

    def _measure(self, connection: Connection) -> tuple[int, int]:
        """Bytes of the database, as far as it is in use, and the number of its schema."""
        raise NotImplementedError


def list_statement(connection: Connection, where: RunFilter, dialect: Conditions) -> tuple[str, tuple[Any, ...]]:
    """The statement that lists the runs of a filter, and its values."""
    conditions, values = filtered(where, dialect)
    sql = connection.text(_list.name).replace("WHERE true", " AND ".join(["WHERE true", *conditions]))
    return sql, (*values, where.limit)


def _only_run(rows: list[Row]) -> RunRow | None:
    return run_row(rows[0]) if rows else None
