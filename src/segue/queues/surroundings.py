"""What surrounds a step that runs away from the database: what it says goes to the server with the next heartbeat.

What needs the database is refused, with what to do instead.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import Any

import msgspec

from segue.errors import CallerError, PayloadError
from segue.kernel.attempt import Attempt
from segue.kernel.encoding import Encodings
from segue.kernel.payload import JSON, Payload, from_bytes
from segue.kernel.secret import SecretScope
from segue.owner.host import Secrets, clean_details, is_over
from segue.server.working import LONGEST_LINE, MOST_LINES, Line, Progress

MOST_WAITING = 10_000
"""Lines that are kept while the server cannot be told; of more, the newest are dropped."""


class Borrowed(Attempt):
    """An attempt that is this worker's for the time of its lease.

    Attributes:
        key_given: its idempotency key; the run's uid, from which one is derived, is not known here.
    """

    key_given: str = ""

    @property
    def idempotency_key(self) -> str:
        return self.key_given

    def write_state(self, scope: str, key: str, value: Any) -> None:
        raise _not_here("keyed state cannot be written", "return the value, and write it in another step")


class Said:
    """What one attempt has said and the server has not heard. Any thread may add to it.

    Attributes:
        news: set when there is something. beaten: by the step itself, since the last time that the server heard.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lines: deque[tuple[float, str, str, str]] = deque()
        self._details: Any = None
        self._progress: Progress | None = None
        self.beaten = False
        self.news = asyncio.Event()

    def line(self, level: str, stream: str, text: str) -> None:
        if len(self._lines) < MOST_WAITING:
            self._lines.append((time.monotonic(), level, stream, text[:LONGEST_LINE]))
            self._stir()

    def progress(self, progress: Progress) -> None:
        self._progress = progress
        self._stir()

    def beat(self, details: Payload | None) -> None:
        self._details, self.beaten = details or self._details, True
        self._stir()

    def _stir(self) -> None:
        if not self.news.is_set():
            with suppress(RuntimeError):  # a thread that is still at it when the loop is closed
                self._loop.call_soon_threadsafe(self.news.set)

    def take(self) -> tuple[Any, Progress | None, list[Line]]:
        """Details, progress, and lines as they are sent; ``put_back`` returns what did not arrive."""
        self.news.clear()
        self.beaten = False
        now = time.monotonic()
        lines = [self._lines.popleft() for _ in range(min(len(self._lines), MOST_LINES))]
        if self._lines:
            self.news.set()
        details = None if self._details is None else msgspec.Raw(self._details.data)
        progress, self._progress = self._progress, None
        self._sent = lines, progress
        return details, progress, [_line(now, *line) for line in lines]

    def put_back(self) -> None:
        """The server has not heard what was taken last."""
        lines, progress = self._sent
        self._lines.extendleft(reversed(lines))
        self._progress = self._progress or progress
        self.beaten = True


def _line(now: float, at: float, level: str, stream: str, text: str) -> Line:
    known: Any = level if level in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL") else "INFO"
    which: Any = stream
    return Line(text, known, which, max(0.0, now - at))


class Surroundings:
    """Implements ``kernel.attempt.Host``.

    Args:
        secrets: where a ``SecretRef`` looks.
    """

    def __init__(self, encodings: Encodings, secrets: Secrets) -> None:
        self._encodings = encodings
        self._secrets = secrets
        self._said: dict[Attempt, Said] = {}

    def begin(self, attempt: Attempt, said: Said) -> None:
        self._said[attempt] = said

    def end(self, attempt: Attempt) -> None:
        """What it says from now on is lost."""
        self._said.pop(attempt, None)

    def report(self, attempt: Attempt, progress: Any) -> None:
        attempt.progress = progress
        if (said := self._said.get(attempt)) is not None:
            total = progress["total"]
            whole = None if total is None else float(total)
            message = str(progress["message"])
            if attempt.secrets is not None:
                message = attempt.secrets.scrub(message)
            said.progress(Progress(float(progress["done"]), whole, message[:LONGEST_LINE]))

    def log(self, attempt: Attempt, level: str, stream: str, line: str) -> None:
        if attempt.secrets is not None:
            line = attempt.secrets.scrub(line)
        if (said := self._said.get(attempt)) is not None:
            said.line(level, stream, line)

    def beat(self, attempt: Attempt, details: Any) -> None:
        said = self._said.get(attempt)
        if attempt.over is not None or said is None:
            raise is_over(attempt, attempt.over or "it has ended")
        said.beat(None if details is None else clean_details(attempt, self._plain(attempt, details)))

    def _plain(self, attempt: Attempt, details: Any) -> Payload:
        return as_json(self._encodings.encode(details), f"a heartbeat of step {attempt.name!r}")

    def earlier(self, attempt: Attempt, type: Any) -> Any:
        if attempt.earlier is None:
            return None
        return self._encodings.decode(from_bytes(JSON, msgspec.json.encode(attempt.earlier)), type)

    def secrets_of(self, attempt: Attempt) -> SecretScope:
        if attempt.secrets is None:
            attempt.secrets = SecretScope(self._secrets.get)
        scope: SecretScope = attempt.secrets
        return scope

    def attach(self, attempt: Attempt, name: str, artifact: Payload) -> None:
        raise _not_here(f"artifact {name!r} cannot be kept", "return what it shows, and attach that in the workflow")

    def read_state(self, attempt: Attempt, scope: str, key: str) -> Any:
        raise _not_here("keyed state cannot be read", "read it in a step before, and hand it over as an argument")

    def read_reference(self, attempt: Attempt, ref: str, encoding: str) -> tuple[Payload, Encodings]:
        raise PayloadError("$: a value that is kept by reference is with the database, which a queue's worker has not")

    def hand_over(self, attempt: Attempt) -> str:
        raise _not_here("complete_later() has no meaning", "the worker's lease is what the outcome comes under")


def as_json(payload: Payload, what: str) -> Payload:
    """The payload, if it is plain JSON, which is all that goes over a queue. Raises ``PayloadError``."""
    if payload.encoding != JSON or payload.parts or payload.ref is not None:
        raise PayloadError(
            f"$: {what} is or holds a value that is no JSON ({payload.encoding}), and only JSON goes over a queue; put "
            "the value where others can read it, and give its address"
        )
    return payload


def _not_here(what: str, remedy: str) -> CallerError:
    return CallerError(f"{what} by a step that a queue's worker carries out, which has no database; {remedy}")
