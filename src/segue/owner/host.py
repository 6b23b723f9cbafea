"""What surrounds an attempt: its logs, its progress, its secrets, and the keyed state it reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import msgspec

from segue.errors import AttemptOver, PayloadError, SecretNotFound
from segue.kernel.attempt import Attempt
from segue.kernel.encoding import Encodings
from segue.kernel.events import Failure
from segue.kernel.notice import NotifyRule
from segue.kernel.payload import Payload
from segue.kernel.reference import brought_back
from segue.kernel.secret import SecretScope
from segue.kernel.tokens import token_of
from segue.runtime.clock import Clock
from segue.runtime.journal import JournalFormat
from segue.runtime.reports import Reports
from segue.runtime.resident import Resident
from segue.stores.attempt_rows import LiveAttempt
from segue.stores.base import Store
from segue.stores.log_rows import LogLine


class Logs(Protocol):
    """Where lines are kept, apart from the journal."""

    def add(self, line: LogLine) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


class Secrets(Protocol):
    """Where the values of secrets come from."""

    def get(self, name: str) -> str: ...


class SaidLine(msgspec.Struct, frozen=True):
    """A line that a step has printed or logged elsewhere, and when (µs)."""

    text: str
    level: str
    stream: str
    at: int


def clean_result(attempt: Attempt, result: Payload) -> Payload:
    """The result, or an error if it, or keyed state written with it, carries a secret's value out of the step."""
    if attempt.secrets is None:
        return result
    if attempt.secrets.leaks(bytes(result.data)):
        raise PayloadError(
            f"the result of step {attempt.name!r} contains the value of a secret; return its SecretRef instead"
        )
    writes: dict[tuple[str, str], bytes | None] = attempt.state_writes or {}
    for (scope, key), value in writes.items():
        written = b"" if value is None else bytes(msgspec.json.decode(value, type=Payload).data)
        if attempt.secrets.leaks(written) or attempt.secrets.leaks(f"{scope} {key}".encode()):
            raise PayloadError(
                f"what step {attempt.name!r} writes into keyed state contains the value of a secret; write its "
                "SecretRef instead"
            )
    return result


def clean_details(attempt: Attempt, details: Payload) -> Payload:
    """What a heartbeat says, or an error if it carries a secret's value out of the step."""
    if attempt.secrets is not None and attempt.secrets.leaks(bytes(details.data)):
        raise PayloadError(f"a heartbeat of step {attempt.name!r} contains the value of a secret; leave it out")
    return details


def is_over(attempt: Attempt, why: str) -> AttemptOver:
    """What an attempt is told that says something after its end."""
    return AttemptOver(
        f"attempt {attempt.attempt} of {attempt.name} in run {attempt.run_id!r} is over for its run "
        f"({why}): nothing it says is taken any more; let it end",
        step=attempt.name, run_id=attempt.run_id, attempt=attempt.attempt,
    )  # fmt: skip


def clean_failure(attempt: Attempt, failure: Failure) -> Failure:
    """The failure without the values of secrets."""
    if attempt.secrets is None:
        return failure
    scrub = attempt.secrets.scrub
    cause = None if failure.cause is None else clean_failure(attempt, failure.cause)
    details = failure.details
    if details is not None and attempt.secrets.leaks(bytes(details.data)):
        details = None
    return Failure(failure.type, scrub(failure.message), scrub(failure.traceback), failure.retryable, cause, details)


class StepHost:
    """Implements ``kernel.attempt.Host``, and cleans what leaves an attempt of the secrets that it saw."""

    clean_result = staticmethod(clean_result)
    clean_failure = staticmethod(clean_failure)

    def __init__(
        self, *, store: Store, journal: JournalFormat, logs: Logs, secrets: Secrets | None, clock: Clock
    ) -> None:
        self._store = store
        self._journal = journal
        self._logs = logs
        self._secrets = secrets
        self._clock = clock
        self.notify: Mapping[str, NotifyRule] = {}
        """The rules by which somebody outside is told of something, by name."""
        self.stopwatch: Callable[[], float] = time.monotonic
        self._reports = Reports(logs, clock, journal.seal_text)
        self.on_progress: Callable[[Attempt, Any], None] = lambda attempt, progress: None
        self.on_beat: Callable[[Attempt], None] = lambda attempt: None
        self.on_log: Callable[[Attempt, str, str], None] = lambda attempt, level, line: None

    def secrets_of(self, attempt: Attempt) -> SecretScope:
        """The secrets that an attempt may see, and those it has seen."""
        if attempt.secrets is None:
            attempt.secrets = SecretScope(self._resolve)
        scope: SecretScope = attempt.secrets
        return scope

    def _resolve(self, name: str) -> str:
        if self._secrets is None:
            raise SecretNotFound(name, [])
        return self._secrets.get(name)

    def report(self, attempt: Attempt, progress: Any) -> None:
        if attempt.secrets is not None:
            scrub = attempt.secrets.scrub
            progress = {name: scrub(said) if isinstance(said, str) else said for name, said in progress.items()}
        attempt.progress = progress
        self._reports.report(attempt, progress)
        self.on_progress(attempt, progress)

    def ended(self, attempt: Attempt) -> None:
        """The attempt, which has reported progress, has ended."""
        self._reports.ended(attempt)

    def attach(self, attempt: Attempt, name: str, artifact: Payload) -> None:
        if attempt.secrets is not None and attempt.secrets.leaks(bytes(artifact.data)):
            raise PayloadError(
                f"artifact {name!r} of step {attempt.name!r} contains the value of a secret; leave it out"
            )
        attempt.artifacts = {**(attempt.artifacts or {}), name: artifact}

    def log(self, attempt: Attempt, level: str, stream: str, line: str) -> None:
        if attempt.secrets is not None:
            line = attempt.secrets.scrub(line)
        at, text = self._clock.now(), self._journal.seal_text(line)
        self._logs.add(LogLine(attempt.run, attempt.key, attempt.attempt, at, level, stream, text))
        self.on_log(attempt, level, line)

    def hear(self, of: LiveAttempt, progress: Any, lines: Iterable[SaidLine]) -> None:
        """What an attempt has said whose code is elsewhere, and where it stands."""
        for line in lines:
            text = self._journal.seal_text(line.text)
            self._logs.add(LogLine(of.run, of.key, of.attempt, line.at, line.level, line.stream, text))
        if progress is not None:
            self._reports.keep(of, progress)

    def workflow_log(self, run: Resident, at: int, level: str, message: str) -> None:
        """A line that the workflow itself logged."""
        self._logs.add(LogLine(run.run, "", 0, at, level, "log", self._journal.seal_text(message)))

    def read_state(self, attempt: Attempt, scope: str, key: str) -> bytes | None:
        writes = attempt.state_writes
        if writes is not None and (scope, key) in writes:
            written: bytes | None = writes[scope, key]
            return written
        found = (attempt.state_reader or self._store.state)(attempt.namespace, scope, key)
        return None if found is None else self._journal.open_value(found)

    def task_is_open(self, namespace: str, run: int, key: str) -> bool:
        """Whether a human task still waits for an answer."""
        return any(task.key == key for task in self._store.tasks(namespace, run=run))

    def beat(self, attempt: Attempt, details: Any) -> None:
        if attempt.over is not None:
            raise is_over(attempt, attempt.over)
        if details is not None:
            payload = details if isinstance(details, Payload) else self._journal.encodings.encode(details)
            clean_details(attempt, payload)
            attempt.beaten = payload
        attempt.beaten_at = self.stopwatch()
        self.on_beat(attempt)

    def earlier(self, attempt: Attempt, type: Any) -> Any:
        return None if attempt.earlier is None else self._journal.encodings.decode(attempt.earlier, type)

    def hand_over(self, attempt: Attempt) -> str:
        attempt.handed_over = True
        self.on_beat(attempt)
        return token_of(attempt.run, attempt.uid, attempt.key, attempt.attempt)

    def read_reference(self, attempt: Attempt | None, ref: str, encoding: str) -> tuple[Payload, Encodings]:
        found = self._store.blobs([ref]).get(ref)
        if found is None:
            raise PayloadError(
                f"$: the value that was kept under {ref} is gone: the runs that referred to it were deleted or erased"
            )
        return brought_back(encoding, found, self._journal.codec), self._journal.encodings

    def flush_logs(self) -> None:
        """Writes the lines that wait, so that a reader finds them."""
        self._logs.flush()

    def close(self) -> None:
        self._logs.close()
