"""A run that what happened to another one sets in motion, as an operation of the store: a hook's, or a notice's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.kernel import events as e
from segue.kernel.payload import Payload
from segue.runtime.children import PYTHON
from segue.stores.base import RESIDENT, StartRun

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

ACTOR = "hook:"
"""How the actor of such a run begins."""


def start(
    conductor: Conductor, workflow: str, input: Payload, hash: str, about: str, id: str, uid: str, namespace: str,
    at: int, *, begin: int | None = None,
) -> StartRun:  # fmt: skip
    """The operation that starts a run because of what happened to the run ``about``."""
    version = conductor.version(workflow, id)
    event = e.RunStarted(
        at, f"{ACTOR}{about}", None, workflow, id, uid, input, namespace=namespace, version=version,
        python=PYTHON, input_hash=hash, timeout=conductor.definitions.timeout(workflow), begin=begin,
    )  # fmt: skip
    data, blobs = conductor.journal.write(event)
    # Due at once, and not taken for one that somebody has in memory: should the answer get lost, it is found all the
    # same.
    return StartRun(
        namespace, id, uid, conductor.app, workflow, at, data, hash, version=version, wake=begin or RESIDENT + 1,
        blobs=tuple(blobs), state="running" if begin is None else "waiting",
    )  # fmt: skip
