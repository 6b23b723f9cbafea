"""What surrounds a step that is called with no engine: enough for it to run as it would with one, and nothing kept.

So a step is tested by calling it. Its idempotency key is of that one call; secrets and keyed state are what the test
gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import msgspec

from segue.errors import PayloadError, SecretNotFound
from segue.kernel.attempt import CURRENT, Attempt
from segue.kernel.encoding import Encodings
from segue.kernel.payload import Payload
from segue.kernel.secret import SecretScope


class Nobody(msgspec.Struct):
    """The run of a step that has none. Implements ``kernel.attempt.Identity``."""

    run: int
    id: str
    uid: str
    namespace: str
    workflow: str


class Alone:
    """Implements ``kernel.attempt.Host``.

    Attributes:
        progress: what the step has reported, in order.
        beats: the details of its heartbeats, in order.
        lines: (level, text) of what it has said with ``segue.log``; that goes to the program's own log as well.
    """

    def __init__(
        self,
        secrets: Mapping[str, str] | None = None,
        state: Mapping[tuple[str, str], Any] | None = None,
        last_heartbeat: Any = None,
    ) -> None:
        encodings = Encodings()
        self.progress: list[Any] = []
        self.beats: list[Any] = []
        self.lines: list[tuple[str, str]] = []
        self.artifacts: dict[str, Payload] = {}
        self._secrets = dict(secrets or {})
        self._encodings = encodings
        self._earlier = None if last_heartbeat is None else encodings.encode(last_heartbeat)
        self._state = {key: msgspec.json.encode(encodings.encode(value)) for key, value in (state or {}).items()}

    def report(self, attempt: Attempt, progress: Any) -> None:
        self.progress.append(progress)

    def attach(self, attempt: Attempt, name: str, artifact: Payload) -> None:
        self.artifacts[name] = artifact

    def log(self, attempt: Attempt, level: str, stream: str, line: str) -> None:
        self.lines.append((level, line))

    def secrets_of(self, attempt: Attempt) -> SecretScope:
        if attempt.secrets is None:
            attempt.secrets = SecretScope(self._secret)
        scope: SecretScope = attempt.secrets
        return scope

    def _secret(self, name: str) -> str:
        if name not in self._secrets:
            raise SecretNotFound(name, ["the secrets= of segue.testing.attempt, as no engine runs this step"])
        return self._secrets[name]

    def read_reference(self, attempt: Attempt, ref: str, encoding: str) -> tuple[Payload, Encodings]:
        raise PayloadError(f"$: nothing is kept under {ref}, as no engine runs this step")

    def read_state(self, attempt: Attempt, scope: str, key: str) -> bytes | None:
        writes = attempt.state_writes or {}
        if (scope, key) in writes:
            written: bytes | None = writes[scope, key]
            return written
        return self._state.get((scope, key))

    def beat(self, attempt: Attempt, details: Any) -> None:
        self.beats.append(details)

    def earlier(self, attempt: Attempt, type: Any) -> Any:
        return None if self._earlier is None else self._encodings.decode(self._earlier, type)

    def hand_over(self, attempt: Attempt) -> str:
        attempt.handed_over = True
        return "a-token-that-completes-nothing"


@contextmanager
def attempt_of(name: str, host: Alone, number: int = 1) -> Iterator[Attempt]:
    """An attempt that belongs to no run, as the current one."""
    who = Nobody(0, "no-run", uuid4().hex, "default", "")
    attempt = Attempt(who, f"/{name}", name, number, host)
    token = CURRENT.set(attempt)
    try:
        yield attempt
    finally:
        CURRENT.reset(token)
