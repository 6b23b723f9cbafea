"""segue: durable workflows in plain async Python.

A step's outcome is recorded once; a workflow goes on from the recorded outcome, never from an unrecorded one. Start
reading with ``segue.engine`` (what is put together) or ``docs/quickstart.md`` (what it is like to use). Each package's
first lines say its job and where to start in it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segue.authoring.python.artifacts import artifact
    from segue.authoring.python.changes import deprecate_patch, removed
    from segue.authoring.python.conditions import all_handlers_finished, wait_condition
    from segue.authoring.python.deciding import decide
    from segue.authoring.python.definitions import Step, Workflow, child, workflow
    from segue.authoring.python.group import group
    from segue.authoring.python.handlers import query, signal, update
    from segue.authoring.python.inside import (
        History,
        attempt_number,
        cancelled,
        complete_later,
        continue_as_new,
        data_interval,
        due,
        headers,
        heartbeat,
        history,
        idempotency_key,
        last_heartbeat,
        log,
        now,
        on_cancel,
        patched,
        progress,
        publish,
        random,
        set_attributes,
        set_summary,
        should_continue,
        sleep,
        uuid4,
    )
    from segue.authoring.python.keyed import state
    from segue.authoring.python.local import locally
    from segue.authoring.python.mapping import MapFailure, Mapped
    from segue.authoring.python.others import OtherRun, other_run
    from segue.authoring.python.outbox import outbox
    from segue.authoring.python.policies import Resolution, escalate, skip
    from segue.authoring.python.references import Ref
    from segue.authoring.python.saga import saga
    from segue.authoring.python.scheduling import Deadline, Schedule
    from segue.authoring.python.tasks import Approval, approval
    from segue.authoring.python.transactions import step
    from segue.client.describing import NamespaceInfo
    from segue.client.following import Progress, Published, Recorded
    from segue.client.handles import Handle, HumanTask
    from segue.encodings.file import File
    from segue.engine import Engine
    from segue.errors import (
        AttemptOver,
        DecisionFailed,
        Incident,
        NonRetryable,
        QueryFailed,
        RunCancelled,
        RunFailed,
        RunTerminated,
        RunTimeout,
        SegueError,
        SignalRefused,
        StepFailed,
        StepTimeout,
        UpdateFailed,
        UpdateRejected,
    )
    from segue.kernel.artifact import Artifact
    from segue.kernel.caching import Cache
    from segue.kernel.interception import Interceptor, RunCall, SendCall, StartCall, StepCall
    from segue.kernel.notice import NotifyRule
    from segue.kernel.report import RunReport
    from segue.kernel.retry import Retry
    from segue.kernel.secret import SecretRef
    from segue.kernel.transactions import Transaction
    from segue.recurrence.rules import Calendar, Cron, Every
    from segue.runtime.settings import Retention, Settings
    from segue.schedules.info import BackfillInfo, ScheduleInfo
    from segue.sync import Client, run

__version__ = "0.1.0.dev0"

_HOME = {
    "artifacts": ("artifact",),
    "changes": ("deprecate_patch", "removed"),
    "conditions": ("all_handlers_finished", "wait_condition"),
    "deciding": ("decide",),
    "definitions": ("Step", "Workflow", "child", "workflow"),
    "group": ("group",),
    "handlers": ("query", "signal", "update"),
    "inside": (
        "History", "attempt_number", "cancelled", "complete_later", "continue_as_new", "data_interval", "due",
        "headers", "heartbeat", "history", "idempotency_key", "last_heartbeat", "log", "now", "on_cancel", "patched",
        "progress", "publish", "random", "set_attributes", "set_summary", "should_continue", "sleep", "uuid4",
    ),
    "keyed": ("state",),
    "local": ("locally",),
    "mapping": ("MapFailure", "Mapped"),
    "others": ("OtherRun", "other_run"),
    "outbox": ("outbox",),
    "policies": ("Resolution", "escalate", "skip"),
    "references": ("Ref",),
    "saga": ("saga",),
    "scheduling": ("Deadline", "Schedule"),
    "tasks": ("Approval", "approval"),
    "transactions": ("step",),
}  # fmt: skip
_MODULE_OF: dict[str, str] = {
    name: f"segue.authoring.python.{module}" for module, names in _HOME.items() for name in names
} | {
    "BackfillInfo": "segue.schedules.info",
    "Calendar": "segue.recurrence.rules",
    "Artifact": "segue.kernel.artifact",
    "Cache": "segue.kernel.caching",
    "Client": "segue.sync",
    "Cron": "segue.recurrence.rules",
    "Engine": "segue.engine",
    "Every": "segue.recurrence.rules",
    "File": "segue.encodings.file",
    **dict.fromkeys(("Interceptor", "RunCall", "SendCall", "StartCall", "StepCall"), "segue.kernel.interception"),
    "Handle": "segue.client.handles",
    "HumanTask": "segue.client.handles",
    "Progress": "segue.client.following",
    "Published": "segue.client.following",
    "Recorded": "segue.client.following",
    "NamespaceInfo": "segue.client.describing",
    "NotifyRule": "segue.kernel.notice",
    "Retention": "segue.runtime.settings",
    "Retry": "segue.kernel.retry",
    "RunReport": "segue.kernel.report",
    "ScheduleInfo": "segue.schedules.info",
    "SecretRef": "segue.kernel.secret",
    "Settings": "segue.runtime.settings",
    "Transaction": "segue.kernel.transactions",
    "run": "segue.sync",
    **dict.fromkeys(
        (
            "AttemptOver",
            "DecisionFailed",
            "Incident",
            "NonRetryable",
            "QueryFailed",
            "RunCancelled",
            "RunFailed",
            "RunTerminated",
            "RunTimeout",
            "SegueError",
            "SignalRefused",
            "StepFailed",
            "StepTimeout",
            "UpdateFailed",
            "UpdateRejected",
        ),
        "segue.errors",
    ),
}

__all__ = [
    "Approval",
    "Artifact",
    "AttemptOver",
    "BackfillInfo",
    "Cache",
    "Calendar",
    "Client",
    "Cron",
    "Deadline",
    "DecisionFailed",
    "Engine",
    "Every",
    "File",
    "Handle",
    "History",
    "HumanTask",
    "Incident",
    "Interceptor",
    "MapFailure",
    "Mapped",
    "NamespaceInfo",
    "NonRetryable",
    "NotifyRule",
    "OtherRun",
    "Progress",
    "Published",
    "QueryFailed",
    "Recorded",
    "Ref",
    "Resolution",
    "Retention",
    "Retry",
    "RunCall",
    "RunCancelled",
    "RunFailed",
    "RunReport",
    "RunTerminated",
    "RunTimeout",
    "Schedule",
    "ScheduleInfo",
    "SecretRef",
    "SegueError",
    "SendCall",
    "Settings",
    "SignalRefused",
    "StartCall",
    "Step",
    "StepCall",
    "StepFailed",
    "StepTimeout",
    "Transaction",
    "UpdateFailed",
    "UpdateRejected",
    "Workflow",
    "all_handlers_finished",
    "approval",
    "artifact",
    "attempt_number",
    "cancelled",
    "child",
    "complete_later",
    "continue_as_new",
    "data_interval",
    "decide",
    "deprecate_patch",
    "due",
    "escalate",
    "group",
    "headers",
    "heartbeat",
    "history",
    "idempotency_key",
    "last_heartbeat",
    "locally",
    "log",
    "now",
    "on_cancel",
    "other_run",
    "outbox",
    "patched",
    "progress",
    "publish",
    "query",
    "random",
    "removed",
    "run",
    "saga",
    "set_attributes",
    "set_summary",
    "should_continue",
    "signal",
    "skip",
    "sleep",
    "state",
    "step",
    "update",
    "uuid4",
    "wait_condition",
    "workflow",
]


def _find_secret(name: str) -> str:
    """A secret where there is no engine: from where one would take it."""
    from segue.owner.secret_sources import configured_secrets

    return configured_secrets().get(name)


def __getattr__(name: str) -> Any:
    # Names are imported when they are first used: ``import segue`` costs next to nothing, and a client that only
    # sends signals never loads the engine.
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'segue' has no attribute {name!r}")
    found = import_module(module)
    if module.startswith("segue.authoring."):  # which may not know of settings
        from segue.authoring.python import local

        local.find_secret = _find_secret
    value = getattr(found, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
