"""Continue-as-new: a run ends by going on as a new one, in one commit, which passes on what nobody has taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.errors import EndlessContinuation
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.attempt import derive_key
from segue.runtime import hooks
from segue.runtime.children import PYTHON
from segue.runtime.resident import Resident, Segment
from segue.stores.base import GoOn, Post

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

RESTLESS = 100
"""Runs of a chain that may end one after the other without having waited for anything."""


def go_on(conductor: Conductor, run: Resident, segment: Segment, command: c.ContinueAsNew) -> None:
    """Closes the run and starts the next one of its chain.

    Raises:
        EndlessContinuation: the chain goes round without waiting for anything.
    """
    started = run.started
    assert started is not None
    before = started.continued
    number = 1 if before is None else before.number + 1
    restless = 0 if command.waited else 1 if before is None else before.restless + 1
    if restless >= RESTLESS:
        raise EndlessContinuation(
            f"run {run.id!r} has continued as new {RESTLESS} times in a row, and nothing happened in between: no step, "
            "no timer, no signal"
        )
    # Derived, not drawn: whoever carries this out again starts the same run.
    uid = derive_key(run.uid, "continue-as-new")
    at = conductor.stamp(run)
    # What a hook has started stays a hook's, however often it goes on.
    actor = started.actor if hooks.is_hook(started) else f"run:{run.id}"
    event = e.RunStarted(
        at, actor, started.headers, run.workflow, run.id, uid, command.input, namespace=run.namespace,
        version=conductor.version(run.workflow, run.id), python=PYTHON, flags=started.flags, parent=run.parent,
        due=started.due, interval=started.interval, tags=started.tags, memo=started.memo, input_hash=command.hash,
        timeout=started.timeout, summary=started.summary, continued=e.Continued(run.uid, number, restless),
    )  # fmt: skip
    data, blobs = conductor.journal.write(event)
    kept = tuple(_kept(conductor, message) for message in command.kept)
    segment.extras.goes_on = GoOn(uid, at, data, event.version, tuple(blobs), kept)
    conductor.close(run, segment, e.RunContinued(at, None, None, uid, command.input), "continued", None, None)


def _kept(conductor: Conductor, message: e.SignalReceived | e.UpdateAccepted) -> Post:
    """A message as it waits for the next run; one without an id of its own has none to be known by."""
    body, blobs = conductor.journal.write(message)
    kind, id = ("update", f"update:{message.update}") if isinstance(message, e.UpdateAccepted) else ("signal", "")
    known = id or getattr(message, "message", "")
    return Post(kind, body, known, message.at, blobs=tuple(blobs))
