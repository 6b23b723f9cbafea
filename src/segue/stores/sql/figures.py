"""Counts runs for charts."""

from __future__ import annotations

import builtins

from segue.stores.base import OPEN
from segue.stores.figure_rows import EndedRuns, OpenRuns
from segue.stores.sql.statements import Readers, Statement, texts

_count_by_state = Statement("count_runs_by_state")
_by_bar = Statement("count_ended_by_bar")
_by_workflow = Statement("count_ended_by_workflow")
_open = Statement("count_open_runs")
_OPEN = texts(OPEN)


class Figures:
    """The part of ``Store`` that counts; docstrings stand there."""

    _readers: Readers

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
