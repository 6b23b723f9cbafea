"""The part of the store's protocol that carries out a step's own code inside a transaction of the store's.

A separate file from ``stores.base`` because this operation alone holds code, and everything else there is data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from segue.kernel.transactions import Transaction

if TYPE_CHECKING:
    from segue.errors import StepTimeout
    from segue.stores.base import Blob, StateWrite


class Lending(Transaction, Protocol):
    """The connection as it is lent to the code."""

    @property
    def left(self) -> float:
        """Seconds that the code still has."""

    def adopt(self) -> None:
        """The code is carried out in the thread that calls this, and no other one may use the connection."""

    def take_back(self) -> StepTimeout:
        """Nothing more is done for the code, whose time is over: what to say of that. Waits for the statement that is
        being carried out."""

    def read_state(self, namespace: str, scope: str, key: str) -> bytes | None:
        """Keyed state as it is in this transaction; nobody else changes it until that has ended."""


class Written(msgspec.Struct, frozen=True):
    """What the code has to say when it is done: the message for its run's inbox, and what becomes true with it."""

    body: bytes
    blobs: tuple[Blob, ...] = ()
    state: tuple[StateWrite, ...] = ()
    artifacts: dict[str, bytes] = {}


class Transact(msgspec.Struct, frozen=True):
    """Run ``call`` on a connection of the transaction, and post what it returns to the run's inbox, together.

    ``message`` is unique per run: whoever knows it already gets ``duplicate``, and the code is not run. That is what
    makes it take effect exactly once, however often it is asked for. The code sees everything that it wrote itself and
    nothing of segue's own tables, may take ``budget`` µs, and may be run again after a commit that failed as a whole.
    An error in it takes back what it wrote and leaves the rest of the batch alone. ``uid``: of the run, if the fence is
    to be void where the number is another run's by now (see ``Append``).
    """

    run: int
    message: str
    at: int
    call: Callable[[Lending], Written]
    budget: int
    kind: str = "outcome"
    uid: str = ""


class Transacted(msgspec.Struct, frozen=True):
    """``committed``: it is on disk, and waits in the inbox. ``duplicate``: it was before. ``closed``: the run has ended
    (or is gone), nothing was done. ``failed``: the code raised ``error``, and what it wrote is taken back. ``later``:
    others in the batch have taken all its time, nothing was done; it is to be asked for once more."""

    outcome: Literal["committed", "duplicate", "closed", "failed", "later"]
    run: int
    error: BaseException | None = None
    outbox: bool = False
    """The code has put a workflow into the outbox."""
