"""Schedules: written by whoever has read them last, together with the runs that they start; and how they are read."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import Any

from segue.stores.schedule_rows import SchedulePage, ScheduleRow, WriteSchedule
from segue.stores.sql.statements import Connection, Readers, Row, Statement, texts

_create = Statement("create_schedule")
_write = Statement("write_schedule")
_delete = Statement("delete_schedule")
_delete_backfills = Statement("delete_backfills")
_list = Statement("list_schedules")
_page = Statement("page_schedules")
_page_by_turn = Statement("page_schedules_by_turn")
_due = Statement("due_schedules")
_waiting = Statement("waiting_schedules")
_next = Statement("next_schedule")


def write(connection: Connection, operation: WriteSchedule) -> int | None:
    """Writes the schedule; its new revision, or None if somebody else has written it meanwhile."""
    row = operation.schedule
    key = (row.namespace, row.name, row.backfill)
    if operation.delete:
        rows = _delete.one(connection, (*key, row.revision))
        if rows and not row.backfill:
            _delete_backfills.one(connection, (row.namespace, row.name))
    else:
        values = (*key, row.app, row.workflow, row.wake, int(row.waits), row.plan, row.standing)
        made = row.revision == 0
        rows = _create.one(connection, values) if made else _write.one(connection, (*values, row.revision))
    return rows[0][0] if rows else None


class Schedules:
    """The reading half of what ``Store`` does with schedules; docstrings stand there."""

    _readers: Readers

    def schedules(self, namespace: str, name: str | None = None) -> builtins.list[ScheduleRow]:
        return self._schedules(_list, (namespace, name))

    def schedule_page(self, namespace: str, where: SchedulePage) -> builtins.list[ScheduleRow]:
        if where.by_turn:
            return self._schedules(_page_by_turn, (namespace, where.find, where.turn, where.after, where.limit))
        return self._schedules(_page, (namespace, where.find, where.after, where.limit))

    def due_schedules(
        self, app: str, now: int, limit: int, *, only: Iterable[str] | None = None
    ) -> builtins.list[ScheduleRow]:
        return self._schedules(_due, (app, now, None if only is None else texts(only), limit))

    def waiting_schedules(self, app: str, *, only: Iterable[str] | None = None) -> builtins.list[ScheduleRow]:
        return self._schedules(_waiting, (app, None if only is None else texts(only)))

    def next_schedule(self, app: str, after: int) -> int | None:
        with self._readers.reading() as connection:
            rows = _next.one(connection, (app, after))
        return rows[0][0] if rows else None

    def _schedules(self, statement: Statement, values: tuple[Any, ...]) -> builtins.list[ScheduleRow]:
        with self._readers.reading() as connection:
            return [_row(row) for row in statement.one(connection, values)]


def _row(row: Row) -> ScheduleRow:
    columns: list[Any] = [*row[:7], bool(row[7]), *row[8:]]
    return ScheduleRow(*columns)
