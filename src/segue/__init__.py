"""segue: durable workflows in plain async Python.

A step's outcome is recorded once; a workflow goes on from the recorded outcome, never from an unrecorded one. Start
reading with ``segue.engine`` (what is put together) or ``docs/quickstart.md`` (what it is like to use).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segue.authoring.python.changes import deprecate_patch, removed
    from segue.authoring.python.definitions import Step, Workflow, step, workflow
    from segue.authoring.python.inside import (
        attempt_number,
        cancelled,
        idempotency_key,
        log,
        now,
        on_cancel,
        patched,
        progress,
        publish,
        query,
        random,
        set_attributes,
        signal,
        update,
        uuid4,
    )
    from segue.authoring.python.keyed import state
    from segue.authoring.python.policies import Resolution, escalate, skip
    from segue.authoring.python.saga import saga
    from segue.authoring.python.tasks import Approval, approval
    from segue.encodings.file import File
    from segue.engine import Engine
    from segue.errors import (
        Incident,
        NonRetryable,
        RunCancelled,
        RunFailed,
        RunTerminated,
        SegueError,
        StepFailed,
        StepTimeout,
    )
    from segue.handles import Handle, HumanTask
    from segue.kernel.retry import Retry
    from segue.kernel.secret import SecretRef
    from segue.runtime.settings import Retention, Settings
    from segue.sync import Client, run

__version__ = "0.1.0.dev0"

_HOME = {
    "changes": ("deprecate_patch", "removed"),
    "definitions": ("Step", "Workflow", "step", "workflow"),
    "inside": (
        "attempt_number", "cancelled", "idempotency_key", "log", "now", "on_cancel", "patched", "progress", "publish",
        "query", "random", "set_attributes", "signal", "update", "uuid4",
    ),
    "keyed": ("state",),
    "policies": ("Resolution", "escalate", "skip"),
    "saga": ("saga",),
    "tasks": ("Approval", "approval"),
}  # fmt: skip
_MODULE_OF: dict[str, str] = {
    name: f"segue.authoring.python.{module}" for module, names in _HOME.items() for name in names
} | {
    "Client": "segue.sync",
    "Engine": "segue.engine",
    "File": "segue.encodings.file",
    "Handle": "segue.handles",
    "HumanTask": "segue.handles",
    "Retention": "segue.runtime.settings",
    "Retry": "segue.kernel.retry",
    "SecretRef": "segue.kernel.secret",
    "Settings": "segue.runtime.settings",
    "run": "segue.sync",
    **dict.fromkeys(
        (
            "Incident",
            "NonRetryable",
            "RunCancelled",
            "RunFailed",
            "RunTerminated",
            "SegueError",
            "StepFailed",
            "StepTimeout",
        ),
        "segue.errors",
    ),
}

__all__ = [
    "Approval",
    "Client",
    "Engine",
    "File",
    "Handle",
    "HumanTask",
    "Incident",
    "NonRetryable",
    "Resolution",
    "Retention",
    "Retry",
    "RunCancelled",
    "RunFailed",
    "RunTerminated",
    "SecretRef",
    "SegueError",
    "Settings",
    "Step",
    "StepFailed",
    "StepTimeout",
    "Workflow",
    "approval",
    "attempt_number",
    "cancelled",
    "deprecate_patch",
    "escalate",
    "idempotency_key",
    "log",
    "now",
    "on_cancel",
    "patched",
    "progress",
    "publish",
    "query",
    "random",
    "removed",
    "run",
    "saga",
    "set_attributes",
    "signal",
    "skip",
    "state",
    "step",
    "update",
    "uuid4",
    "workflow",
]


def __getattr__(name: str) -> Any:
    # Names are imported when they are first used: ``import segue`` costs next to nothing, and a client that only
    # sends signals never loads the engine.
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'segue' has no attribute {name!r}")
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
