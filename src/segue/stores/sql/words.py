"""Keeps the words by which runs are found beside their rows: written in the transaction that changes what they are of.

Only what was said of a run is put down: a commit of runs of which nothing is said neither reads nor writes here. An
error that a run no longer has leaves its words behind until something else is said of it, because taking them away
would cost each commit a look; who reads holds what is found against the run's row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from segue.stores.base import StartRun
from segue.stores.run_words import words_of_run
from segue.stores.sql.rows import run_row
from segue.stores.sql.statements import Connection, Statement, flat, numbers

_runs = Statement("runs_by_row")
_kept = Statement("words_of_runs")
_keep = Statement("keep_words")
_drop = Statement("drop_words")


def keep_of_new(connection: Connection, starts: Iterable[tuple[int, StartRun]]) -> None:
    """Keeps the words of runs that have just begun, of what they began with."""
    kept: list[tuple[str, str, int]] = []
    for run, start in starts:
        said = words_of_run(start.id, tags=start.tags, attributes={}, summary=start.summary)
        kept += [(start.namespace, word, run) for word in said]
    _keep.many(connection, flat(kept))


def keep(connection: Connection, runs: Sequence[int]) -> None:
    """Has the words of runs be those of their rows, as they are by now."""
    listed = numbers(sorted(set(runs)))
    before: dict[int, set[str]] = {}
    for run, word in _kept.one(connection, (listed,)):
        before.setdefault(run, set()).add(word)
    gone: list[tuple[str, str, int]] = []
    new: list[tuple[str, str, int]] = []
    for row in map(run_row, _runs.one(connection, (listed,))):
        old = before.get(row.run, set())
        said = words_of_run(row.id, tags=row.tags, attributes=row.attributes, summary=row.summary, error=row.error)
        gone += [(row.namespace, word, row.run) for word in old - said]
        new += [(row.namespace, word, row.run) for word in said - old]
    _drop.many(connection, flat(gone))
    _keep.many(connection, flat(new))
