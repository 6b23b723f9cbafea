"""A step alone, in tests: what its surroundings give it, and what it does to them, with no engine and no database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from segue.authoring.python.alone import Alone, attempt_of
from segue.kernel.artifact import Artifact
from segue.kernel.attempt import Attempt
from segue.kernel.encoding import Encodings
from segue.kernel.payload import Payload

_encodings = Encodings()


class Lone:
    """The surroundings of steps that are called in the block. Another call is another step of the same attempt."""

    def __init__(self, attempt: Attempt, host: Alone) -> None:
        self._attempt = attempt
        self._host = host

    @property
    def progress(self) -> list[dict[str, Any]]:
        """What was reported with ``segue.progress``: ``{"done", "total", "message"}``."""
        return self._host.progress

    @property
    def beats(self) -> list[Any]:
        """The details that were given to ``segue.heartbeat``, in order."""
        return self._host.beats

    @property
    def lines(self) -> list[tuple[str, str]]:
        """(level, text) of what was said with ``segue.log``."""
        return self._host.lines

    @property
    def artifacts(self) -> list[Artifact]:
        """What was attached with ``segue.artifact``."""
        return [_encodings.decode(payload, Artifact) for payload in self._host.artifacts.values()]

    @property
    def state(self) -> dict[tuple[str, str], Any]:
        """Keyed state that was written, by (scope, key); None where it was deleted."""
        writes: dict[tuple[str, str], bytes | None] = self._attempt.state_writes or {}
        return {
            key: None if data is None else _encodings.decode(msgspec.json.decode(data, type=Payload))
            for key, data in writes.items()
        }

    @property
    def idempotency_key(self) -> str:
        """What ``segue.idempotency_key()`` answers."""
        return self._attempt.idempotency_key

    def cancel(self) -> None:
        """Asks the step to stop, as an engine does with one in a thread."""
        self._attempt.cancel()


@contextmanager
def attempt(
    *,
    secrets: Mapping[str, str] | None = None,
    state: Mapping[tuple[str, str], Any] | None = None,
    number: int = 1,
    last_heartbeat: Any = None,
) -> Iterator[Lone]:
    """Steps that are called in the block find these secrets, this keyed state and this last heartbeat, and are attempt
    ``number``."""
    host = Alone(secrets, state, last_heartbeat)
    with attempt_of("step", host, number) as current:
        yield Lone(current, host)
