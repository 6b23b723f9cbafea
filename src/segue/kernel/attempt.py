"""One attempt of a step, as the code inside it may see it.

The runtime makes one for each attempt and puts it into ``CURRENT`` of the attempt's context; names such as
``segue.idempotency_key`` look there. It carries no I/O of its own: what it can do is passed in.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from segue.errors import NotInWorkflow

if TYPE_CHECKING:
    from segue.kernel.encoding import Encodings
    from segue.kernel.payload import Payload


class Host(Protocol):
    """What an attempt's surroundings do for it. Called from any thread."""

    def report(self, attempt: Attempt, progress: Any) -> None:
        """Makes progress visible to whoever follows the run."""

    def attach(self, attempt: Attempt, name: str, artifact: Payload) -> None:
        """Keeps an artifact with the run, once it is recorded how the attempt ended."""

    def log(self, attempt: Attempt, level: str, stream: str, line: str) -> None:
        """Keeps a line with the run."""

    def secrets_of(self, attempt: Attempt) -> Any:
        """The attempt's ``SecretScope``."""

    def read_state(self, attempt: Attempt, scope: str, key: str) -> Any:
        """The encoded value of keyed state, or None."""

    def beat(self, attempt: Attempt, details: Any) -> None:
        """Takes a heartbeat. Raises ``AttemptOver`` if the attempt has ended for its run."""

    def earlier(self, attempt: Attempt, type: Any) -> Any:
        """What the last heartbeat of an earlier attempt said, or None."""

    def hand_over(self, attempt: Attempt) -> str:
        """Lets the attempt's outcome come from outside; its token."""

    def read_reference(self, attempt: Attempt, ref: str, encoding: str) -> tuple[Payload, Encodings]:
        """A value that is kept apart, and what decodes it. Raises ``PayloadError`` if it is gone."""


class Identity(Protocol):
    """Whose run it is."""

    run: int
    id: str
    uid: str
    namespace: str
    workflow: str


class Attempt(msgspec.Struct, eq=False):
    """Who is running: the run, the step, the number of the attempt; and the request to stop.

    Attributes:
        beaten: what its last heartbeat said (encoded). beaten_at: when that was, on whatever clock its host measures.
        earlier: what the last heartbeat of an earlier attempt said (encoded).
        handed_over: its outcome comes from outside.
        over: why nothing of it is taken any more.
        state_reader: reads keyed state, by namespace, scope and key, in the transaction that it runs in, if any.
    """

    identity: Identity
    key: str
    name: str
    attempt: int
    host: Host
    headers: dict[str, str] | None = None
    earlier: Any = None
    cancel_requested: bool = False
    progress: Any = None
    state_writes: dict[tuple[str, str], Any] | None = None
    state_reader: Callable[[str, str, str], bytes | None] | None = None
    artifacts: dict[str, Payload] | None = None
    secrets: Any = None
    beaten: Any = None
    beaten_at: float = 0.0
    handed_over: bool = False
    over: str | None = None
    _on_cancel: list[Callable[[], None]] | None = None

    @property
    def run(self) -> int:
        """Row of the run."""
        return self.identity.run

    @property
    def run_id(self) -> str:
        return self.identity.id

    @property
    def uid(self) -> str:
        return self.identity.uid

    @property
    def namespace(self) -> str:
        return self.identity.namespace

    @property
    def workflow(self) -> str:
        return self.identity.workflow

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of this step in this run, different for every other: from the run's internal
        uid and the step's key, never from arguments or the caller's reusable id. 32 hexadecimal digits."""
        return derive_key(self.uid, self.key)

    def cancel(self) -> None:
        """Asks the code inside to stop. It may look at ``cancel_requested``, or have registered a callback."""
        self.cancel_requested = True
        for callback in self._on_cancel or ():
            callback()

    def write_state(self, scope: str, key: str, value: Any) -> None:
        """Keyed state that becomes true together with the outcome of this attempt."""
        if self.state_writes is None:
            self.state_writes = {}
        self.state_writes[scope, key] = value

    def on_cancel(self, callback: Callable[[], None]) -> None:
        """Registers what to do on a request to stop; at once if the request was made already."""
        self._on_cancel = [*(self._on_cancel or ()), callback]
        if self.cancel_requested:
            callback()


CURRENT: ContextVar[Attempt] = ContextVar("segue_attempt")


def current_attempt(what: str) -> Attempt:
    """The attempt whose code is running.

    Raises:
        NotInWorkflow: outside a step.
    """
    attempt = CURRENT.get(None)
    if attempt is None:
        raise NotInWorkflow(f"{what} only means something inside a step that an engine runs")
    return attempt


def derive_key(uid: str, key: str) -> str:
    """32 hexadecimal digits that stand for one call in one run."""
    return blake2b(f"{uid}\n{key}".encode(), digest_size=16).hexdigest()
