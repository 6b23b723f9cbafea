"""Results by reference: the workflow holds where a value is, and a step that is handed that loads it.

``await extract.by_reference()(day)`` gives a ``Ref`` to what ``extract`` returned. However large the values are, and
however many, a workflow that only passes them on holds none of them, and neither does its replay.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import msgspec

from segue.authoring.python.registry import STEPS
from segue.errors import NotInWorkflow
from segue.kernel.attempt import CURRENT, Attempt

if TYPE_CHECKING:
    from segue.kernel.encoding import Encodings
    from segue.kernel.payload import Payload

T = TypeVar("T")


class Ref(msgspec.Struct, Generic[T], frozen=True):
    """Where a step's result is kept. Passed to steps, child runs and signals like any value.

    It is there as long as a run is kept that has the reference in its journal, and erased with the run that made it.

    Attributes:
        segue_ref: the content address. encoding, size (bytes): of what is kept there. step: whose result it is.
    """

    _segue_stands_for: ClassVar[str] = "declare it Ref[…], and load it in the step that wants the value"

    segue_ref: str
    encoding: str
    size: int
    step: str

    async def load(self) -> T:
        """The value, in a step.

        Raises:
            NotInWorkflow: called anywhere but in a step.
            PayloadError: it is gone, with the run that it belonged to.
        """
        attempt = _attempt()
        value: T = await asyncio.to_thread(self._load, attempt)
        return value

    def load_sync(self) -> T:
        """``load`` for plain functions."""
        value: T = self._load(_attempt())
        return value

    def _load(self, attempt: Attempt) -> Any:
        payload, encodings = attempt.host.read_reference(attempt, self.segue_ref, self.encoding)
        return decode(self, payload, encodings)


def _attempt() -> Attempt:
    attempt = CURRENT.get(None)
    if attempt is None:
        raise NotInWorkflow(
            "Ref.load() reads from the database, and belongs into a step: pass the reference to one; other programs "
            "call engine.load(ref)"
        )
    return attempt


def decode(ref: Ref[Any], payload: Payload, encodings: Encodings) -> Any:
    """The value, as the type that its step declares; as what it was written as where the step is not known."""
    step = STEPS.get(ref.step)
    return encodings.decode(payload) if step is None else step.bind(encodings).decode_result(payload)
