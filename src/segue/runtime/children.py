"""Child runs: started in one commit, acknowledged to the parent in the next, joined by a uid that the parent chose."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal

from segue.errors import StoreUnavailable
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.runtime.resident import Resident
from segue.stores.base import RESIDENT, Post, Started, StartRun, Store

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


def start(
    conductor: Conductor, run: Resident, command: c.StartChild, on_conflict: Literal["fail", "replace"] = "fail"
) -> None:
    """Starts the child. The same uid again finds the child that a predecessor started."""
    at = conductor.clock.now()
    begin = at + command.delay if command.delay else None
    event = e.RunStarted(
        at, f"run:{run.id}", command.headers, command.workflow, command.id, command.uid,
        command.input, namespace=run.namespace,
        version=conductor.version(command.workflow, command.id), python=PYTHON,
        parent=e.ParentRef(run.run, run.uid, command.key, command.close_policy), input_hash=command.hash,
        begin=begin, timeout=command.timeout, summary=command.summary,
    )  # fmt: skip
    data, blobs = conductor.journal.write(event)
    operation = StartRun(
        run.namespace, command.id, command.uid, conductor.app, command.workflow, event.at, data, command.hash,
        version=event.version, wake=begin or RESIDENT, on_conflict=on_conflict, parent=run.run, blobs=tuple(blobs),
        state="running" if begin is None else "waiting", summary=conductor.journal.seal_text(command.summary),
    )  # fmt: skip

    def answered(answer: Any) -> None:
        refused = isinstance(answer, Started) and answer.outcome == "refused"
        try:
            replaces = refused and on_conflict == "fail" and _is_of_the_retried(conductor.store, run, answer.run)
        except StoreUnavailable:
            start(conductor, run, command)  # asks again, as soon as the store is there
            return
        if replaces:
            start(conductor, run, command, "replace")
        else:
            _started(conductor, run.run, command, event, answer)

    conductor.writer.submit(operation, answered)


def _is_of_the_retried(store: Store, run: Resident, holder: int) -> bool:
    """Whether who holds an id is a child of the run that ``run`` retries, and so gives the id up if it has ended."""
    if run.started is None or not run.started.seed:
        return False
    child = store.run(holder)
    parent = None if child is None or child.parent is None else store.run(child.parent)
    return parent is not None and (parent.namespace, parent.id) == (run.namespace, run.id)


def _started(conductor: Conductor, row: int, command: c.StartChild, event: e.RunStarted, answer: Any) -> None:
    if isinstance(answer, Exception):
        return  # this owner is done; the next one asks again
    child, failure = 0, None
    if not isinstance(answer, Started) or answer.outcome == "refused":
        failure = e.Failure(
            "segue.errors.RunAlreadyExists", f"child run {command.id!r} was not started: {answer.reason}"
        )
    else:
        child = answer.run
        if answer.outcome == "started" and event.begin is not None:
            conductor.expect(event.begin)
        elif answer.outcome == "started":
            conductor.adopt(child, event)
        else:
            conductor.poke(child)  # a predecessor started it, or its acknowledgement was lost
    parent = conductor.residents.get(row)
    if parent is None or parent.closed or command.key not in parent.active:
        return
    # From here the child's own end wakes the parent: until then nothing is under way on this side.
    del parent.active[command.key]
    started = e.ChildStarted(
        conductor.stamp(parent), None, None, command.key, command.workflow, command.id, command.uid, command.hash,
        failure, child, command.close_policy,
    )  # fmt: skip
    note(parent, started)
    conductor.apply(parent, started)


def note(run: Resident, event: e.Event) -> None:
    """Keeps account of the children that have been started and have not answered."""
    if isinstance(event, e.ChildStarted) and event.failure is None:
        run.children[event.key] = (event.run, event.close_policy)
    elif isinstance(event, e.ChildCompleted):
        run.children.pop(event.key, None)


def cancel(conductor: Conductor, run: Resident, key: str, reason: str) -> list[Post]:
    """Passes a cancellation on to a child, in the commit that says so. One whose start is under way gets it then."""
    child = run.children.get(key)
    if child is None:
        return []
    body, _ = conductor.journal.write(e.CancelRequested(run.at, f"run:{run.id}", None, reason))
    return [Post("cancel", body, f"cancel:{run.uid}", run.at, run=child[0])]


def parting(run: Resident) -> list[Post]:
    """Tells children that are still open of their parent's end, in the commit that ends it: each follows its own close
    policy."""
    body = e.encode(e.CancelRequested(run.at, f"run:{run.id}", None, "its parent has ended"))
    return [
        Post("parent-closed", body, f"parent-closed:{run.uid}", run.at, run=child)
        for child, policy in run.children.values()
        if policy != "abandon"
    ]


def tell_parent(conductor: Conductor, run: Resident, event: e.Event, state: str, failure: e.Failure | None) -> Post:
    """The end of a child as a message for its parent."""
    parent: e.ParentRef = run.parent
    result = event.result if isinstance(event, e.RunCompleted) else None
    answer = e.ChildCompleted(event.at, f"run:{run.id}", None, parent.key, state, result, failure)
    body, blobs = conductor.journal.write(answer)
    return Post("child", body, f"child:{run.uid}", event.at, run=parent.run, blobs=tuple(blobs))
