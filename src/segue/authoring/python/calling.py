"""A step as a hook: the workflow that does nothing but run it durably."""

from __future__ import annotations

from segue.authoring.python.definitions import STEPS, Workflow
from segue.authoring.python.scheduling import takes_report
from segue.errors import CallerError
from segue.kernel.report import RunReport


async def call_step(step: str, report: RunReport) -> None:
    """Runs one step with what happened, or with nothing if it takes nothing."""
    found = STEPS.get(step)
    if found is None:
        raise CallerError(f"no step named {step!r} is known here; import the module that defines it")
    await (found(report) if takes_report(found) else found())


CALL_STEP: Workflow[[str, RunReport], None] = Workflow(call_step, "segue.call-step")
"""Served by every engine, whatever it serves otherwise."""
