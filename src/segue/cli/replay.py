"""``segue replay``: goes through a recorded run on this machine, under a debugger if asked, and carries nothing out."""

from __future__ import annotations

import asyncio
import dis
import pdb  # noqa: T100 (this is what it is for)
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Annotated, Any

from cyclopts import Parameter
from rich.text import Text

from segue.cli.exits import FAILED, OK
from segue.cli.history import event_rows
from segue.cli.lookup import client, row_of
from segue.cli.messages import RunId
from segue.cli.output import console, print_json
from segue.cli.scope import Scope
from segue.cli.serving import load_all
from segue.errors import CallerError, InvalidArgument, SegueError
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.execution import Execution
from segue.kernel.replay import replayed
from segue.owner.serving import Definitions
from segue.stores.base import RunRow

_SKIPPED = ["segue.*", "asyncio.*", "contextlib", "contextvars", "importlib.*", "msgspec.*"]
"""Modules that the debugger passes over: what is to be seen is the workflow."""


def replay(
    run: RunId,
    /,
    *paths: Annotated[str, Parameter(help="Files, folders or modules with the run's code.")],
    debug: Annotated[
        bool, Parameter(help="Stop at the workflow's first line, in pdb.", negative=(), show_default=False)
    ] = False,
    until: Annotated[int | None, Parameter(help="Stop behind the event of this number.", show_default=False)] = None,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Go through a recorded run with the code at hand, and carry nothing out.

    Every step's outcome is the recorded one, so that no side effect is repeated and nothing is written; the workflow's
    own lines run. A breakpoint() in it stops there, --debug stops at its first line.
    """
    if not paths:
        raise InvalidArgument(f"no code is named; write `segue replay {run} FILE.py`")
    if debug and scope.json:
        raise InvalidArgument("--debug is for a person, and --json for a machine; take one of them")
    load_all(paths)
    row, events, code = asyncio.run(_read(scope, run))
    if until is not None and not 1 <= until <= len(events):
        raise InvalidArgument(f"--until is {until}, and the journal of run {row.id!r} has events 1 to {len(events)}")
    # Not in a task of asyncio's: a run's loop is only ever driven from a plain callback.
    return _Player(row, events[:until], code, scope).play(debug)


async def _read(scope: Scope, id: str) -> tuple[RunRow, list[tuple[int, e.Event]], Definitions]:
    async with client(scope) as engine:
        row = await row_of(engine, id)
        if engine.definitions.workflow(row.workflow) is None:
            raise CallerError(
                f"run {row.id!r} is of workflow {row.workflow!r}, which the code that was named does not define; it "
                f"has: {', '.join(engine.definitions.names())}"
            )
        return row, list(engine.events_of(row.run)), engine.definitions


def _first_line(code: CodeType) -> int:
    """The line of a function's first statement, which comes after the instruction that every function begins with."""
    instructions = dis.get_instructions(code)
    for instruction in instructions:
        if instruction.opname == "RESUME":
            break
    places = (instruction.positions for instruction in instructions)
    return next((place.lineno for place in places if place and place.lineno), code.co_firstlineno)


class _Player:
    """Goes through one run."""

    def __init__(self, row: RunRow, events: list[tuple[int, e.Event]], code: Definitions, scope: Scope) -> None:
        self._row = row
        self._events = events
        self._code = code
        self._scope = scope
        self._reached = 0

    def play(self, debug: bool) -> int:
        self._tell_version()
        try:
            execution = self._replayed(debug)
        except SegueError as error:
            return self._parted(error)
        try:
            outstanding = execution.outstanding()
            waiting = [x.key for x in outstanding if isinstance(x, (c.RunStep, c.StartChild))]
            signals = execution.signals_awaited()
            ended = execution.closed
        finally:
            execution.close()
        if self._scope.json:
            print_json({**self._as_json(None), "closed": ended, "outstanding": waiting, "signals": signals})
            return OK
        out = console()
        if ended:
            out.print(f"run {self._row.id}: the code comes to its end where the journal does; nothing was carried out")
        else:
            listed = [*waiting, *(f"signal {name!r}" for name in signals)]
            rest = f"; it waits for {', '.join(listed)}" if listed else ""
            out.print(f"run {self._row.id}: the journal ends here{rest}; nothing was carried out")
        return OK

    def _replayed(self, debug: bool) -> Execution:
        def go() -> Execution:
            return replayed(self._make, self._told)[0]

        if not debug:
            return go()
        debugger = pdb.Pdb(nosigint=True, skip=_SKIPPED)
        workflow = self._code.workflow(self._row.workflow)
        assert workflow is not None, "it was there a moment ago"
        place = workflow.function.__code__
        debugger.reset()
        debugger.set_break(place.co_filename, _first_line(place), temporary=True)
        debugger.botframe = sys._getframe()
        debugger.set_continue()
        sys.settrace(debugger.trace_dispatch)
        try:
            return go()
        finally:
            sys.settrace(None)

    @property
    def _version(self) -> str:
        """The version of the code that goes through it: the run's own where that is here, or what goes on with it."""
        workflow = self._code.serving(self._row.workflow, self._row.version) or self._code.workflow(self._row.workflow)
        assert workflow is not None, "it was there a moment ago"
        return workflow.version

    def _tell_version(self) -> None:
        """No worker with this code would go on with a run that is pinned to another version."""
        if self._scope.json or self._code.serving(self._row.workflow, self._row.version) is not None:
            return
        console().print(
            f"run {self._row.id} is pinned to version {self._row.version!r}, which the code that was named does not "
            f"have; it is gone through with {self._version!r}",
            soft_wrap=True,
        )

    def _make(self) -> Execution:
        execution = self._code.execution(self._row.workflow, self._version)
        assert execution is not None, "it was there a moment ago"
        return execution

    def _told(self) -> Iterator[e.Event]:
        for seq, event in self._events:
            if seq > self._reached:
                self._reached = seq
                self._tell(seq, event)
            yield event

    def _tell(self, seq: int, event: e.Event) -> None:
        if self._scope.json:
            return
        for number, _, kind, text in event_rows([(seq, event)]):
            console().print(Text(f"{number:>5}  {kind:<18} {text}", style="dim"), soft_wrap=True)

    def _as_json(self, parted: int | None) -> dict[str, Any]:
        """``version`` is the run's, ``code`` that of the code."""
        told = {"id": self._row.id, "version": self._row.version, "code": self._version}
        return {**told, "events": len(self._events), "parted": parted}

    def _parted(self, error: SegueError) -> int:
        problem = f"{type(error).__name__}: {error}"
        if self._scope.json:
            print_json({**self._as_json(self._reached), "problem": problem})
        else:
            console().print(
                f"run {self._row.id}: code and journal part at event {self._reached}: {problem}", soft_wrap=True
            )
        return FAILED
