"""Steps that a person has paused for all runs of an app."""

from __future__ import annotations

import apsw

from segue.stores.base import HoldStep
from segue.stores.sqlite.statements import statement

_hold = statement("hold_step")
_release = statement("release_step")


def hold(connection: apsw.Connection, step: HoldStep) -> None:
    """Pauses the step, lets it go on, or forgets that it was paused."""
    if step.state == "running":
        _release.one(connection, (step.app, step.namespace, step.step))
    else:
        values = (step.app, step.namespace, step.step, step.state, step.at, step.by, step.reason)
        _hold.one(connection, values)
