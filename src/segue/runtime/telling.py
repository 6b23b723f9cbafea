"""Who a line of the program's own log is about, in words that machines find: for ``extra=`` of every such line."""

from __future__ import annotations

from typing import Any

from segue.kernel.attempt import Attempt, Identity
from segue.stores.base import RunRow

ABOUT = "segue"
"""The attribute of a log record that holds it."""

About = dict[str, dict[str, Any]]


def about(run: Identity | RunRow, **more: Any) -> About:
    """A run, and what of it."""
    return {ABOUT: {"run_id": run.id, "workflow": run.workflow, "namespace": run.namespace, "run": run.run, **more}}


def about_attempt(attempt: Attempt) -> About:
    """An attempt of a step in its run."""
    return about(attempt.identity, step=attempt.name, key=attempt.key, attempt=attempt.attempt)
