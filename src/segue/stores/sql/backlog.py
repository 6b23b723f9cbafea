"""Counts what machines watch, by indexes and up to a limit."""

from __future__ import annotations

from segue.stores.backlog import Backlog, OpenWork
from segue.stores.base import OPEN
from segue.stores.sql.statements import Readers, Statement

_open = Statement("count_runs_of_state")
_due = Statement("count_due_runs")
_messages = Statement("count_messages")
_tasks = Statement("count_open_tasks")


def backlog(readers: Readers, app: str, now: int, limit: int) -> Backlog:
    """What there is at this moment."""
    with readers.reading() as connection:
        ((due,),) = _due.one(connection, (app, now, limit))
        ((messages, oldest),) = _messages.one(connection, (app, limit))
    return Backlog(due=due, messages=messages, oldest=oldest)


def open_work(readers: Readers, namespace: str, now: int, limit: int) -> OpenWork:
    """What is open at this moment."""
    counted: dict[tuple[str, str], int] = {}
    with readers.reading() as connection:
        for state in OPEN:
            for workflow, count in _open.one(connection, (namespace, state, limit)):
                counted[state, workflow] = count
        ((tasks, overdue),) = _tasks.one(connection, (namespace, now, limit))
    return OpenWork(runs=counted, tasks=tasks, overdue=overdue)
