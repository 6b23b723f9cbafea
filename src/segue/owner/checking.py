"""Replays the journals of open runs with the code at hand, before a worker takes them over with it.

Nothing is carried out and nothing is written. What a run would stand still on is told by the same rules as when it is
taken over (``kernel.adoption``), so that the answer is the one that the run would get.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import msgspec

from segue.configuration.formats import Formats
from segue.errors import InvalidArgument, NonDeterminism, SegueError, StoreError
from segue.kernel import events as e
from segue.kernel.execution import Execution
from segue.kernel.replay import replayed
from segue.runtime.journal import JournalFormat
from segue.stores.base import OPEN, RunFilter, RunRow, Store

PAGE = 500
PINNED = "pinned to a version that the code that was loaded does not have"
MISSING = "the code that was loaded has no workflow of this name"


class Code(Protocol):
    """The code at hand."""

    def execution(self, workflow: str, version: str) -> Execution | None: ...

    def names(self) -> list[str]: ...


class Verdict(msgspec.Struct, frozen=True):
    """What would become of one run.

    Attributes:
        run, id, workflow, version, state: whose it is, and the code that it was started with.
        cause: what it would stand still on, in words that are the same for every run; empty if it can go on.
        step: the step that it is about, if it is about one.
        problem: the whole message.
        pending: steps whose recorded outcomes the code has not asked for yet: they are adopted when it comes to them.
    """

    run: int
    id: str
    workflow: str
    version: str
    state: str
    cause: str = ""
    step: str | None = None
    problem: str = ""
    pending: tuple[str, ...] = ()


class Group(msgspec.Struct, frozen=True):
    """Runs that would stand still on the same."""

    workflow: str
    cause: str
    step: str | None
    runs: int
    example: Verdict

    def __str__(self) -> str:
        what = f"step {self.step!r} {self.cause}" if self.step else self.cause
        return f"{self.runs:,} {'run' if self.runs == 1 else 'runs'} of {self.workflow}: {what}"


def grouped(verdicts: Iterable[Verdict]) -> list[Group]:
    """The verdicts that tell of a problem, by cause, the most frequent one first."""
    found: dict[tuple[str, str, str | None], list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.cause:
            found.setdefault((verdict.workflow, verdict.cause, verdict.step), []).append(verdict)
    groups = [Group(*key, len(runs), runs[0]) for key, runs in found.items()]
    return sorted(groups, key=lambda group: -group.runs)


# --- where the journals come from ---------------------------------------------------------------------------------


class Journals(Protocol):
    """Where open runs and their journals are found."""

    def rows(self) -> list[RunRow]:
        """The open runs."""

    def events(self, run: int) -> Iterable[e.Event]:
        """One run's journal."""


class InStore:
    """Those of one app, in a database."""

    def __init__(self, store: Store, journal: JournalFormat, namespace: str, app: str) -> None:
        self._store = store
        self._journal = journal
        self._namespace = namespace
        self._app = app

    def rows(self) -> list[RunRow]:
        found: list[RunRow] = []
        after: int | None = None
        while True:
            page = self._store.list(RunFilter(namespace=self._namespace, states=OPEN, after=after, limit=PAGE))
            found += [row for row in page if row.app == self._app]
            if len(page) < PAGE:
                return found
            after = page[-1].run

    def events(self, run: int) -> Iterable[e.Event]:
        return (event for _, event in self._journal.read(self._store.journal(run)))


class InExport:
    """In a file that ``segue db export`` has written, of one run or of many.

    Raises:
        InvalidArgument: it is none.
    """

    def __init__(self, lines: Iterable[bytes], name: str, formats: Formats) -> None:
        self._rows: list[RunRow] = []
        self._events: dict[int, list[tuple[int, bytes]]] = {}
        self._payloads: dict[str, bytes] = {}
        self._journal = JournalFormat(
            encodings=formats.encodings, codec=formats.codec, blobs=lambda refs: {r: self._payloads[r] for r in refs}
        )
        decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
        for number, line in enumerate(lines, 1):
            try:
                ((kind, value),) = decode(line).items()
                _TAKE.get(kind, _pass_over)(self, bytes(value))
            except (ValueError, IndexError, msgspec.MsgspecError) as error:
                raise InvalidArgument(
                    f"{name} is no export: line {number} does not read ({error}); write one with `segue db export`"
                ) from error

    def _take_run(self, value: bytes) -> None:
        row = msgspec.json.decode(value, type=RunRow)
        self._rows.append(row)
        self._events[row.run] = []

    def _take_event(self, value: bytes) -> None:
        seq, event = msgspec.json.decode(value, type=tuple[int, msgspec.Raw])
        self._events[self._rows[-1].run].append((seq, bytes(event)))

    def _take_payload(self, value: bytes) -> None:
        ref, data = msgspec.json.decode(value, type=tuple[str, bytes | None])
        if data is not None:
            self._payloads[ref] = data

    def rows(self) -> list[RunRow]:
        return [row for row in self._rows if row.state in OPEN]

    def events(self, run: int) -> Iterable[e.Event]:
        return (event for _, event in self._journal.read(self._events[run]))


def _pass_over(export: InExport, value: bytes) -> None:
    """A line that replay does not need."""


_TAKE: dict[str, Callable[[InExport, bytes], None]] = {
    "run": InExport._take_run,
    "event": InExport._take_event,
    "payload": InExport._take_payload,
}


# --- checking them ------------------------------------------------------------------------------------------------


def check_runs(code: Code, journals: Journals, *, sample: int | None = None) -> Iterator[Verdict]:
    """What would become of each open run, or of ``sample`` of them, taken evenly over workflows and ages. Call it in a
    thread: a run is never driven inside a task of the outer loop."""
    rows = sorted(journals.rows(), key=lambda row: (row.workflow, row.run))
    if sample is not None and sample < len(rows):
        rows = [rows[place * len(rows) // sample] for place in range(sample)]
    for row in rows:
        yield _check(code, journals, row)


def _check(code: Code, journals: Journals, row: RunRow) -> Verdict:
    verdict = Verdict(row.run, row.id, row.workflow, row.version, row.state)
    if row.workflow not in code.names():
        return msgspec.structs.replace(verdict, cause=MISSING, problem=f"{MISSING}: {row.workflow!r}")
    if code.execution(row.workflow, row.version) is None:
        return msgspec.structs.replace(verdict, cause=PINNED, problem=f"{PINNED}: {row.version}")

    def make() -> Execution:
        execution = code.execution(row.workflow, row.version)
        assert execution is not None, "it is known"
        return execution

    try:
        events = list(journals.events(row.run))
        execution, _ = replayed(make, lambda: events)
    except StoreError:  # which says nothing of the run
        raise
    except Exception as error:  # whatever it is, the run would stand still on it
        return _stands_still(verdict, error)
    try:
        pending = tuple(sorted(set(execution.unclaimed())))
        execution.outstanding()  # as whoever takes the run over does, which may raise too
    except Exception as error:
        return _stands_still(verdict, error)
    finally:
        execution.close()
    return msgspec.structs.replace(verdict, pending=pending) if pending else verdict


def _stands_still(verdict: Verdict, error: Exception) -> Verdict:
    changed: dict[str, Any] = {"problem": f"{type(error).__name__}: {error}"}
    if isinstance(error, NonDeterminism) and error.reason:
        changed |= {"cause": error.reason, "step": error.step}
    elif isinstance(error, NonDeterminism) and error.step:
        changed |= {"cause": "asked for otherwise than recorded", "step": error.step}
    else:
        kind = "" if isinstance(error, SegueError) else f"{type(error).__name__}: "
        changed["cause"] = f"{kind}{error}"
    return msgspec.structs.replace(verdict, **changed)
