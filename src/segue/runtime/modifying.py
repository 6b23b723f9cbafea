"""What a person changes in the future of a run that its owner has in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.errors import PayloadError
from segue.kernel import events as e
from segue.runtime import incidents
from segue.runtime.resident import Resident

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor


def take(conductor: Conductor, run: Resident, event: e.Event) -> None:
    """Applies a change that was accepted while the call was open; if that has ended since, nothing is changed."""
    assert isinstance(event, e.Modified)
    assert run.execution is not None
    key = event.key or ""
    if key not in run.execution.modifiable(event.action):
        text = f"{event.action} of {key} came too late: the call has ended, or is under way; nothing was changed"
        conductor.host.workflow_log(run, run.at, "WARNING", text)
        return
    if event.action == "skip":
        assert event.value is not None
        try:
            run.execution.validate_result(key, event.value)
        except PayloadError as error:
            # Whoever skipped it did not have the code. Recorded, it would keep the run from replaying for good.
            text = f"the result that was given for {key} is of another type: {error}; nothing was changed"
            conductor.host.workflow_log(run, run.at, "WARNING", text)
            return
        running = run.active.pop(key, None)
        if running is not None:
            running.done = None  # whatever comes of it, nobody waits for it
            conductor.attempts.stop(running)
    note(run, event)
    conductor.apply(run, event)


def note(run: Resident, event: e.Modified) -> None:
    """Keeps account: a call that was skipped stands still no more; one that a fork spares has its outcome elsewhere."""
    if event.action == "skip" and event.key is not None:
        incidents.resolved(run, event.key)
    if event.action == "forked":  # those of a fork of which this is one are not meant any more
        run.spared = {each.key: each for each in event.spared}
