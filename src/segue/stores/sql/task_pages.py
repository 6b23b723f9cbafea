"""Lists human tasks page by page, and counts them."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import Any

from segue.stores.base import Task
from segue.stores.sql.statements import Connection, Readers, Statement, numbers
from segue.stores.task_rows import TaskCounts, TaskFilter

_page = Statement("page_tasks")
_of_runs = Statement("open_tasks_of_runs")
_count = Statement("count_tasks")

_WHERE = "WHERE tasks.namespace = ?"
_ORDER = "ORDER BY tasks.turn, tasks.task"
_CONDITIONS = {
    "state": "tasks.state = ?",
    "assignee": "tasks.assignee = ?",
    "claimed_by": "tasks.claimed_by = ?",
    "run": "tasks.run = ?",
    "task": "tasks.task = ?",
    "due_before": "tasks.turn < ?",
}


class TaskPages:
    """The part of ``Store`` that lists human tasks; docstrings stand there."""

    _readers: Readers

    def task_page(self, where: TaskFilter) -> builtins.list[Task]:
        with self._readers.reading() as connection:
            return [Task(*row) for row in connection.execute(*page_statement(connection, where))]

    def open_tasks_of(self, runs: Iterable[int]) -> builtins.list[Task]:
        with self._readers.reading() as connection:
            return [Task(*row) for row in _of_runs.one(connection, (numbers(runs),))]

    def count_tasks(self, namespace: str, *, now: int, by: str, most: int) -> TaskCounts:
        with self._readers.reading() as connection:
            return TaskCounts(*_count.one(connection, (namespace, now, by, most))[0])


def page_statement(connection: Connection, where: TaskFilter) -> tuple[str, tuple[Any, ...]]:
    """The statement that lists the tasks of a filter, and its values."""
    given = {text: getattr(where, name) for name, text in _CONDITIONS.items() if getattr(where, name) is not None}
    conditions, values = [_WHERE, *given], [where.namespace, *given.values()]
    order, behind, place = _order(where)
    if place:
        conditions.append(behind)
        values += place
    sql = connection.text(_page.name).replace(_WHERE, " AND ".join(conditions)).replace(_ORDER, order)
    return sql, (*values, where.limit)


def _order(where: TaskFilter) -> tuple[str, str, builtins.list[Any]]:
    """The order of a page, the condition for what stands behind a place in it, and its values, if there is a place."""
    place = where.after
    if where.state is None:
        return "ORDER BY tasks.task DESC", "tasks.task < ?", [] if place is None else [place.task]
    values = [] if place is None else [place.turn, place.task]
    if where.state == "open":
        return _ORDER, "(tasks.turn, tasks.task) > (?, ?)", values
    return "ORDER BY tasks.turn DESC, tasks.task DESC", "(tasks.turn, tasks.task) < (?, ?)", values
