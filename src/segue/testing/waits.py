"""What a run that does not go on waits for, in words."""

from __future__ import annotations

from collections.abc import Iterable

from segue.client.handles import HumanTask
from segue.runtime.activity import Activity


def waits_for(activity: Activity, tasks: Iterable[HumanTask]) -> str:
    """``signal 'paid' and ada to answer 'approval'``; empty if nothing is known of it."""
    people = [f"{task.assignee} to answer {task.name!r}" for task in tasks]
    signals = [f"signal {name!r}" for name in activity.signals]
    steps = [f"step {under_way.name!r}, which does not return" for under_way in activity.attempts]
    return " and ".join(people + signals + steps)
