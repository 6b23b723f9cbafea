"""What workflow code says of its own changes: calls that are gone on purpose, and patches that have become the rule."""

from __future__ import annotations

from segue.authoring.python.execution import require
from segue.errors import NonDeterminism
from segue.kernel.names import checked_name

REMOVED: set[str] = set()
"""Names of the steps, children and human tasks that the code no longer calls, on purpose."""


def removed(*names: str) -> None:
    """Says, beside the workflow's definition, that it no longer calls these steps (or children, or human tasks).

    Open runs that have recorded an outcome of one go on without it; undoing what it did is left to people. Without this
    they stand still, so that a call which was lost by mistake is found. Drop the line when ``segue check`` no longer
    needs it.
    """
    REMOVED.update(checked_name(name, "a removed step's name") for name in names)


def deprecate_patch(name: str) -> None:
    """Stands where ``patched(name)`` stood, once the code of before the patch is deleted.

    Runs that have the patch go on, and may be asked in turn by code that has dropped this line as well. A run that
    went the old way stands still, with a message that names the patch.
    """
    execution = require("deprecate_patch()")
    if not execution.patched(checked_name(name, "a patch's name")):
        execution.loop.halt(
            NonDeterminism(
                f"the run came here before patch {name!r} and went on by the code of before, which is gone; bring back "
                f"`if patched({name!r}): … else: …` until no such run is open (`segue check` tells)",
                step=name,
                reason="a patch, and the run went on by the code of before it, which is gone",
            )
        )
