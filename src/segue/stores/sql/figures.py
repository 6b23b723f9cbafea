"""Counts runs for charts.

Of a million runs a sample is counted, which is drawn by number: by a hash of its last 16 bits, because children and
parents, or the runs of two schedules, may well take turns in the numbers themselves.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from segue.stores.base import OPEN, RunFilter
from segue.stores.figure_rows import EndedRuns, OpenRuns, StartedRuns
from segue.stores.sql.conditions import Conditions, filtered
from segue.stores.sql.search import Search
from segue.stores.sql.statements import Connection, Readers, Statement, numbers, texts

_count_by_state = Statement("count_runs_by_state")
_by_bar = Statement("count_ended_by_bar")
_by_workflow = Statement("count_ended_by_workflow")
_open = Statement("count_open_runs")
_started = Statement("count_started_by_bar")
_numbers = Statement("run_numbers")
_namespaces = Statement("list_namespaces")
_states = Statement("count_states_of_namespaces")
_OPEN = texts(OPEN)
_ALL = 65_536
_IN_SAMPLE = "((runs.run & 65535) * 40503) & 65535 < ?"


class Figures:
    """The part of ``Store`` that counts; docstrings stand there."""

    _readers: Readers
    _conditions: Conditions

    def counts(self, namespace: str) -> dict[str, int]:
        with self._readers.reading() as connection:
            return dict(_count_by_state.one(connection, (namespace,)))

    def count_ended(
        self, namespace: str, *, since: int, until: int, bar: int | None, most: int, workflow: str | None = None
    ) -> builtins.list[EndedRuns]:
        statement = _by_workflow if bar is None else _by_bar
        with self._readers.reading() as connection:
            rows = statement.one(connection, (bar or 0, since, until, namespace, workflow, most))
        return [EndedRuns(*row) for row in rows]

    def count_open(self, namespace: str, *, most: int) -> builtins.list[OpenRuns]:
        with self._readers.reading() as connection:
            return [OpenRuns(*row) for row in _open.one(connection, (namespace, _OPEN, most))]

    def namespaces(self, *, most: int) -> builtins.list[str]:
        with self._readers.reading() as connection:
            return sorted(name for (name,) in _namespaces.one(connection, (most,)))[:most]

    def count_open_in(self, namespaces: Sequence[str], *, most: int) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {name: {} for name in namespaces}
        with self._readers.reading() as connection:
            for name, state, count in _states.one(connection, (texts(namespaces), _OPEN, most)):
                found[name][state] = count
        return found

    def count_started(
        self, where: RunFilter, *, now: int, widths: Sequence[int], bars: int, most: int
    ) -> StartedRuns | None:
        values = (where.started_from, where.started_until, now, numbers(widths), bars)
        with self._readers.reading() as connection:
            rows, frequent = self._count_all(connection, where, (most + 1, *values))
            share = _ALL
            if frequent or _sum(rows) > most:
                # Of runs in general first: how many there are of these is not known before.
                ((first, last),) = _numbers.one(connection)
                share = max(1, _ALL * most // (last - first + 1))
                rows = self._sample(connection, where, share, values, most)
                if 0 < 2 * _sum(rows) < most and where.text is None:  # more would be held against the words again
                    share = min(_ALL, share * most // _sum(rows))
                    rows = self._sample(connection, where, share, values, most)
        if not rows:
            return None
        since, until, bar = rows[0][:3]
        return StartedRuns(since, until, bar, share / _ALL, {(row[3], row[4]): row[5] for row in rows})

    def _count_all(
        self, connection: Connection, where: RunFilter, values: tuple[Any, ...]
    ) -> tuple[builtins.list[Any], bool]:
        """Counts the runs of the filter; nothing, and True, where only a look at all runs could tell which they are."""
        if where.text is None:
            return _count(connection, filtered(where, self._conditions), values), False
        few = Search(connection, where, self._conditions).few()
        if few is None:
            return [], True
        return _count(connection, ([self._conditions.is_one_of], [numbers(few)]), values), False

    def _chosen(self, connection: Connection, where: RunFilter) -> tuple[builtins.list[str], builtins.list[Any]]:
        conditions, given = filtered(where, self._conditions, many=True)
        if where.text is None:
            return conditions, given
        condition, words = Search(connection, where, self._conditions).condition()
        return [*conditions, condition], [*given, *words]

    def _sample(
        self, connection: Connection, where: RunFilter, share: int, values: tuple[Any, ...], most: int
    ) -> builtins.list[Any]:
        # By an index, of which most is passed over: there is nothing to be had from the newest first.
        conditions, given = self._chosen(connection, where)
        return _count(connection, ([_IN_SAMPLE, *conditions], [share, *given]), (2 * most, *values))


def _sum(rows: builtins.list[Any]) -> int:
    return sum(row[-1] for row in rows)


def _count(
    connection: Connection, filter: tuple[builtins.list[str], builtins.list[Any]], values: tuple[Any, ...]
) -> builtins.list[Any]:
    conditions, given = filter
    sql = connection.text(_started.name).replace("WHERE true", " AND ".join(["WHERE true", *conditions]))
    return connection.execute(sql, (*given, *values))
