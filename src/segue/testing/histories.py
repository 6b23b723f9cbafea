"""Recorded journals as files, and the check that the code at hand still goes on from them.

A file holds one event a line, as the journal has them. It is readable, belongs into version control, and is in clear
text even where a codec seals the database: record runs with made-up data only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from segue.authoring.python.execution import CodeExecution
from segue.client.handles import Handle
from segue.encodings import default_encodings
from segue.errors import InvalidArgument, NonDeterminism, NotDeterministic, PayloadError, SegueError
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.encoding import Encodings
from segue.kernel.execution import Execution
from segue.kernel.replay import replayed
from segue.owner.serving import Definitions


class HistoryBroken(SegueError, AssertionError):
    """A recorded run does not go on with the code at hand.

    Attributes:
        file: the recording. step: the step at which code and recording part, if it is one.
        cause: what replay said.
    """

    def __init__(self, message: str, *, file: str, step: str | None, cause: Exception) -> None:
        super().__init__(message)
        self.file = file
        self.step = step
        self.cause = cause


async def record(handle: Handle[Any], file: Path | str) -> None:
    """Writes the run's journal, as far as it has got, to a file; its folder is made if need be.

    What tells of the machine and not of the run is left out: names of workers, tracebacks.
    """
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [e.encode(_without_machine(recorded.event)) + b"\n" for recorded in await handle.history()]
    path.write_bytes(b"".join(lines))  # noqa: ASYNC240


def _without_machine(event: e.Event) -> e.Event:
    blank: dict[str, Any] = {}
    if getattr(event, "worker", ""):
        blank["worker"] = ""
    failure = getattr(event, "failure", None)
    if isinstance(failure, e.Failure):
        blank["failure"] = _without_traceback(failure)
    return msgspec.structs.replace(event, **blank) if blank else event


def _without_traceback(failure: e.Failure) -> e.Failure:
    cause = None if failure.cause is None else _without_traceback(failure.cause)
    return msgspec.structs.replace(failure, traceback="", cause=cause)


def read(file: Path | str) -> list[e.Event]:
    """The events that ``record`` wrote.

    Raises:
        InvalidArgument: the file holds something else; the message names the line.
    """
    events: list[e.Event] = []
    for number, line in enumerate(Path(file).read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            events.append(e.decode(line))
        except msgspec.MsgspecError as error:
            raise InvalidArgument(
                f"{file}, line {number} is no event of this release ({error}); use the release that recorded it or "
                "a later one, or record the run again with segue.testing.record, or with pytest --segue-record"
            ) from error
        if len(events) > 1 and isinstance(events[-1], e.RunStarted):
            raise InvalidArgument(f"{file}, line {number} begins another run; a recording is of one, make two files")
    if not events or not isinstance(events[0], e.RunStarted):
        raise InvalidArgument(f"{file} is no recording: a journal begins with RunStarted")
    return events


def replay(file: Path | str, *, encodings: Encodings | None = None) -> list[c.Command]:
    """Replays a recording with the code at hand. Nothing is carried out.

    Args:
        file: what ``record`` wrote.
        encodings: how its values are read, if not as by default.

    Returns:
        what the run would ask for next; nothing if it has ended.

    Raises:
        HistoryBroken: the code asks for something else than was recorded.
        InvalidArgument: the file is no recording, or its workflow is not defined here.
    """
    events = read(file)
    started = events[0]
    assert isinstance(started, e.RunStarted)
    definitions = Definitions(encodings or default_encodings(), None, None)

    def make() -> Execution:
        execution = definitions.execution(started.workflow, started.version) or definitions.newest(started.workflow)
        assert execution is not None, "it is defined here"
        return execution

    if definitions.workflow(started.workflow) is None:
        raise InvalidArgument(
            f"{file} is a run of {started.workflow!r}, which is not defined here; import its module in the test"
        )
    pinned = ""
    if definitions.serving(started.workflow, started.version) is None:
        pinned = f" (it is pinned to version {started.version!r}, which is not defined here)"
    try:
        return _replay(make, events)
    except (NonDeterminism, NotDeterministic, PayloadError) as error:
        step = getattr(error, "step", None)
        where = f" at step {step!r}" if step else ""
        raise HistoryBroken(
            f"{file}: runs of {started.workflow!r} that are like this one do not go on with the code at hand{where}"
            f"{pinned}: {error}. Put the code back as it was for them, or guard the change with segue.patched(); if no "
            "such run is left, delete the file",
            file=str(file), step=step, cause=error,
        ) from error  # fmt: skip


def _replay(make: Callable[[], Execution], events: Sequence[e.Event]) -> list[c.Command]:
    execution, replay = replayed(make, lambda: _read(events))
    try:
        if isinstance(execution, CodeExecution):
            execution.calls.keys.check_unused()  # an outcome that waits for its call at a recording's end has lost it
        return [*replay.awaited, *execution.outstanding()]
    finally:
        execution.close()


def _read(events: Iterable[e.Event]) -> Iterable[e.Event]:
    """All but ``Erased``, which comes after the end."""
    return (event for event in events if not isinstance(event, e.Erased))
