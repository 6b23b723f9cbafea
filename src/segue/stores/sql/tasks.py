"""Human tasks: opened and withdrawn by their runs, completed by people."""

from __future__ import annotations

from collections.abc import Sequence

from segue.stores.base import Append, CompleteTask, Post, Posted, TaskAnswered
from segue.stores.sql.statements import Connection, Statement, flat, numbers

_open = Statement("open_tasks")
_withdraw = Statement("withdraw_tasks")
_withdraw_all = Statement("withdraw_tasks_of_closed")
_reassign = Statement("reassign_tasks")
_complete = Statement("complete_task")
_run_of = Statement("task_run")
_find_closed = Statement("find_closed_runs")


def apply(connection: Connection, appends: Sequence[Append]) -> None:
    """Opens, withdraws and reassigns what the appends say, in this order."""
    _open.many(
        connection,
        flat((a.run, t.key, t.name, t.assignee, t.at, t.due, t.form, t.subject) for a in appends for t in a.tasks),
    )
    _withdraw.many(connection, flat((a.run, key, a.status and a.status.at) for a in appends for key in a.closed_tasks))
    _reassign.many(connection, flat((a.run, key, to) for a in appends for key, to in a.reassigned.items()))


def withdraw_all(connection: Connection, closed: list[tuple[int, int]]) -> None:
    """Withdraws the open tasks of runs that have closed (run, time)."""
    _withdraw_all.many(connection, flat(closed))


def complete(connection: Connection, done: CompleteTask) -> TaskAnswered | Post:
    """Closes the task and makes the message that tells its run; an answer when the task is not open."""
    which = (done.at, done.by, done.outcome, done.task)
    known = _run_of.one(connection, which)
    if not known:
        return TaskAnswered("unknown")
    run = known[0][0]
    _find_closed.one(connection, (numbers([run]),))  # locks the run before its task, as whoever closes it does
    if _complete.one(connection, (done.task, done.at, done.by, done.outcome)):
        return Post("task", done.body, f"task:{done.task}", done.at, run=run, blobs=done.blobs)
    ((run, same),) = _run_of.one(connection, which)
    # The very same answer again: the acknowledgement of the first one was lost.
    return TaskAnswered("completed" if same else "not-open", run)


def answered(posted: Posted) -> TaskAnswered:
    """The answer once the run's message is in."""
    assert posted.outcome == "posted", "the tasks of a closed run are withdrawn, and a task is completed once"
    return TaskAnswered("completed", posted.run, posted.row)
