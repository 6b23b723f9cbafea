"""Who hears what has happened, once it is on disk: figures and traces are made of it, and nothing depends on it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from segue.kernel.events import Event

if TYPE_CHECKING:
    from segue.runtime.attempts import Attempts
    from segue.runtime.resident import Resident

log = logging.getLogger("segue.witness")


class Witness:
    """Override what you want to hear of. All of it is called on the loop's thread, and must not block."""

    def recorded(self, run: Resident, seq: int, since: int, events: Sequence[Event]) -> None:
        """These events of a run are on disk: each is told once by the process that recorded it, none by a replay.
        ``seq`` is the number of the first, ``since`` the time (µs) of the one before it."""

    def serve(self, attempts: Attempts) -> None:
        """It is about to hear of what these attempts come to, and may say something to them before."""

    def fired(self, late: int) -> None:
        """A timer has fired, so many µs after it was due."""

    def committed(self, seconds: float, operations: int) -> None:
        """A batch is on disk, so long after it was handed over for the first time."""


def tell(witnesses: Sequence[Witness], hear: Callable[..., None], *what: Any) -> None:
    """Tells all of them, by the method of ``Witness`` that hears it."""
    for witness in witnesses:
        try:
            getattr(witness, hear.__name__)(*what)
        except Exception:  # a mistake of whoever watches must not keep anybody's commit from being acknowledged
            log.exception("%s failed at something that is on disk", type(witness).__name__)
