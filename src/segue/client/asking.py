"""Answers a query from the journal: a replay that carries nothing out, for who has the code and not the run in memory.

So a query is answered in every process, and for runs that have ended. It sees what is on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from segue.errors import (
    CallerError,
    Incident,
    NonDeterminism,
    NotDeterministic,
    PayloadError,
    RunClosed,
    RunNotFound,
)
from segue.kernel import events as e
from segue.kernel.erasure import GONE
from segue.kernel.execution import Execution, Form
from segue.kernel.replay import replayed
from segue.stores.base import RunRow, Store

Events = Callable[[int], Iterable[tuple[int, e.Event]]]


class Code(Protocol):
    def execution(self, workflow: str, version: str) -> Execution | None: ...


def ask(code: Code, store: Store, events: Events, run: int, name: str, arguments: list[Any]) -> Any:
    """The answer to query ``name``. Call it in a thread: a run is never driven inside a task of the outer loop.

    Raises:
        RunNotFound: there is no such run.
        RunClosed: it has gone on as a new one, which is to be asked instead.
        CallerError: its code is not known here, its data was erased, or it answers no such query.
        Incident: its journal does not replay with the code that is here.
        NotDeterministic: the query's function tried to change something.
        QueryFailed: the query's function raised.
    """
    row = store.run(run)
    if row is None:
        raise RunNotFound(str(run))
    if row.state == "continued":
        raise RunClosed(row.id, row.state)
    with _replayed(code, row, events, f"answer query {name!r}") as execution:
        return execution.query(name, arguments)


def signals_of(code: Code, row: RunRow, events: Events) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The signals that a run takes, with the JSON Schema of their values; and which of them it waits for. In a thread.

    Raises:
        CallerError, Incident: as ``ask``.
    """
    with _replayed(code, row, events, "say what signals it takes") as execution:
        return execution.signal_forms(), execution.signals_awaited()


def updates_of(code: Code, row: RunRow, events: Events) -> dict[str, Form]:
    """The updates that a run answers, as far as it has come, each with its form. In a thread.

    Raises:
        CallerError, Incident: as ``ask``.
    """
    with _replayed(code, row, events, "say what updates it answers") as execution:
        return execution.update_forms()


def queries_of(code: Code, row: RunRow, events: Events) -> dict[str, Form]:
    """The queries that a run answers, as far as it has come, each with its form. In a thread.

    Raises:
        CallerError, Incident: as ``ask``.
    """
    with _replayed(code, row, events, "say what queries it answers") as execution:
        return execution.query_forms()


@contextmanager
def _replayed(code: Code, row: RunRow, events: Events, why: str) -> Iterator[Execution]:
    if code.execution(row.workflow, row.version) is None:
        raise CallerError(
            f"to {why}, run {row.id!r} is replayed, and its workflow {row.workflow!r} is not known "
            "here; import the module that defines it, or read handle.published()"
        )
    execution = _replay(code, row, events)
    try:
        yield execution
    finally:
        execution.close()


def _replay(code: Code, row: RunRow, events: Events) -> Execution:
    def make() -> Execution:
        execution = code.execution(row.workflow, row.version)
        assert execution is not None, "it was there a moment ago"
        return execution

    def read() -> Iterator[e.Event]:
        for _, event in events(row.run):
            if isinstance(event, e.RunStarted) and event.input == GONE:
                raise CallerError(f"the data of run {row.id!r} was erased; it answers no queries any more")
            yield event

    try:
        return replayed(make, read)[0]
    except (NonDeterminism, NotDeterministic, PayloadError) as error:
        raise Incident(
            f"run {row.id!r} answers no query here, because its journal does not replay with this code: {error}",
            run_id=row.id,
        ) from error
