"""Steps that a person has paused for all runs of an app."""

from __future__ import annotations

from segue.stores.base import HoldStep
from segue.stores.sql.statements import Connection, Statement

_hold = Statement("hold_step")
_release = Statement("release_step")


def hold(connection: Connection, step: HoldStep) -> None:
    """Pauses the step, lets it go on, or forgets that it was paused."""
    if step.state == "running":
        _release.one(connection, (step.app, step.namespace, step.step))
    else:
        values = (step.app, step.namespace, step.step, step.state, step.at, step.by, step.reason)
        _hold.one(connection, values)
