"""What a hook is told: how a run ended, that it stands still, or that a deadline passed."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Occasion = Literal["success", "failure", "incident", "deadline"]


class RunReport(msgspec.Struct, frozen=True):
    """What happened to a run, or did not happen.

    Attributes:
        occasion: ``success``, ``failure``, ``incident`` or ``deadline``.
        workflow, id: of the run; at a deadline the id of the run that should have been.
        at: when.
        state: of the run, ``missing`` if there is none.
        message: what an error, an incident or a deadline says.
        due: the time that the run was, or is, due, if a schedule starts it.
        interval: the period that it is for.
        schedule: which schedule's deadline has passed.
    """

    occasion: Occasion
    workflow: str
    id: str
    at: datetime
    state: str = ""
    message: str = ""
    due: datetime | None = None
    interval: tuple[datetime, datetime] | None = None
    schedule: str | None = None
